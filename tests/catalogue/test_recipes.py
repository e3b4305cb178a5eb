"""The recipes that ship: whose requirements they keep, and that their code is code."""

from __future__ import annotations

import ast
import datetime as dt
import os
import subprocess
from pathlib import Path

import argon2
import flask
import flask_jwt_extended
import marshmallow
import playwright
import pytest
import sqlalchemy
from click.testing import CliRunner

from conformance.catalogue import load
from conformance.catalogue.recipes import FRAMEWORKS, Recipe, load_recipes, recipes_for
from conformance.cli import main

NODE = Path(playwright.__file__).parent / "driver" / "node"
PYTHON = [key for key, (_, language) in FRAMEWORKS.items() if language == "python"]


@pytest.fixture(params=load_recipes(), ids=lambda recipe: recipe.name)
def recipe(request: pytest.FixtureRequest) -> Recipe:
    """Each recipe."""
    value: Recipe = request.param
    return value


def test_a_recipe_names_requirements_that_exist(recipe: Recipe) -> None:
    """Each id is one of the catalogue's, and stands once."""
    assert recipe.fixes
    assert len(set(recipe.fixes)) == len(recipe.fixes)
    for requirement_id in recipe.fixes:
        load().get(requirement_id)


def test_flask_code_runs(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code for Flask runs in an application that imports what the framework's users import."""
    monkeypatch.setenv("JWT_SECRET_KEY", "00" * 32)
    app = flask.Flask("recipe")
    libraries = (flask_jwt_extended, marshmallow, sqlalchemy, argon2)
    names = {name: value for library in libraries for name, value in vars(library).items()}
    names |= {"app": app, "os": os, "timedelta": dt.timedelta}

    exec(recipe.code["flask"], names | {"jwt_manager": flask_jwt_extended.JWTManager(app)})  # noqa: S102 - our own code

    assert app.test_client().get("/nowhere").status_code == 404


@pytest.mark.parametrize("framework", PYTHON)
def test_python_parses(recipe: Recipe, framework: str) -> None:
    """Code for a framework in Python is Python."""
    ast.parse(recipe.code[framework])


def test_javascript_parses(recipe: Recipe, tmp_path: Path) -> None:
    """Code for Express is JavaScript."""
    file = tmp_path / "recipe.js"
    file.write_text(recipe.code["express"], encoding="utf-8")

    checked = subprocess.run([NODE, "--check", file], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stderr


def test_explain_shows_the_code_of_one_framework() -> None:
    """`--framework` prints its code, and no other's."""
    shown = CliRunner().invoke(main, ["explain", "SIG-02", "--framework", "express"])

    assert shown.exit_code == 0
    assert 'algorithms: ["HS256"]' in shown.output
    assert "NimbusJwtDecoder" not in shown.output


def test_explain_says_where_there_is_no_recipe() -> None:
    """A requirement without one is explained all the same."""
    missing = next(requirement.id for requirement in load() if not recipes_for(requirement.id))

    shown = CliRunner().invoke(main, ["explain", missing, "--framework", "spring"])

    assert shown.exit_code == 0
    assert "No recipe for Spring yet" in shown.output
