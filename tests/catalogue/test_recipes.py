"""The recipes that ship: whose requirements they keep, and that their code is code."""

from __future__ import annotations

import ast
import datetime as dt
import importlib
import subprocess
from pathlib import Path
from typing import Any

import django
import django.conf
import fastapi
import flask
import flask_jwt_extended
import playwright
import pydantic
import pytest
from click.testing import CliRunner

from conformance.catalogue import load
from conformance.catalogue.recipes import FRAMEWORKS, Recipe, load_recipes, recipes_for
from conformance.cli import main

NODE = Path(playwright.__file__).parent / "driver" / "node"
READERS = {name: type(name, (pydantic.BaseModel,), {}) for name in ("LoginSession", "Tokens", "User")} | {
    name: lambda: None for name in ("claims_of", "database")
}
"""What the reader's own program has, where code for FastAPI mentions it."""
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
    libraries = "flask flask_cors flask_jwt_extended flask_limiter flask_limiter.util marshmallow sqlalchemy argon2"

    run(recipe.code["flask"], libraries, {"app": app, "jwt_manager": flask_jwt_extended.JWTManager(app)})

    assert app.test_client().get("/nowhere").status_code == 404


def test_django_code_runs(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code for Django runs where its settings, middleware, serializers and views would stand."""
    monkeypatch.setenv("JWT_SECRET_KEY", "00" * 32)
    monkeypatch.setenv("JWT_PRIVATE_KEY", "a PEM")
    monkeypatch.setenv("JWT_PUBLIC_KEY", "a PEM")
    if not django.conf.settings.configured:
        apps = ("django.contrib.auth", "django.contrib.contenttypes", "rest_framework_simplejwt.token_blacklist")
        django.conf.settings.configure(INSTALLED_APPS=apps, SECRET_KEY="django's own")
        django.setup()
    libraries = (
        "django.conf django.contrib.auth django.contrib.auth.models django.core.cache django.core.exceptions django.db"
        " django.http django.urls rest_framework rest_framework.authentication rest_framework.decorators"
        " rest_framework.exceptions rest_framework.parsers rest_framework.permissions rest_framework.response"
        " rest_framework.throttling rest_framework.views rest_framework_simplejwt.authentication"
        " rest_framework_simplejwt.exceptions rest_framework_simplejwt.serializers rest_framework_simplejwt.tokens"
        " rest_framework_simplejwt.views"
    )
    there: dict[str, Any] = {"INSTALLED_APPS": [], "MIDDLEWARE": [], "urlpatterns": []}

    run(recipe.code["django"], libraries, there)


def test_fastapi_code_runs(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code for FastAPI runs in an application, which describes what the code added to it."""
    monkeypatch.setenv("JWT_SECRET_KEY", "00" * 32)
    app = fastapi.FastAPI()
    libraries = (
        "fastapi fastapi.exceptions fastapi.middleware.cors fastapi.middleware.trustedhost fastapi.responses"
        " fastapi.security argon2 limits limits.storage limits.strategies pwdlib pydantic"
        " pydantic_settings slowapi slowapi.util sqlalchemy sqlalchemy.orm typing uuid"
    )

    run(recipe.code["fastapi"], libraries, {"app": app, **READERS})

    assert app.openapi()["info"]


def run(code: str, libraries: str, there: dict[str, Any]) -> None:
    """Execute code where the names of some libraries, and of what is there already, are known."""
    modules = [importlib.import_module(library) for library in libraries.split()]
    names = {name: value for module in modules for name, value in vars(module).items() if not name.startswith("__")}
    names |= {"datetime": dt.datetime, "timedelta": dt.timedelta, "UTC": dt.UTC}
    names |= {
        module: importlib.import_module(module)
        for module in ("base64", "json", "jwt", "os", "re", "secrets", "unicodedata")
    }

    program = compile(
        code, "recipe.py", "exec", dont_inherit=True
    )  # annotations are read here, as in a file of its own
    exec(program, names | there | {"__name__": __name__})  # noqa: S102 - our own code


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


def test_explain_says_where_there_is_no_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """A requirement without one, as each is when it has just been added, is explained all the same."""
    monkeypatch.setattr("conformance.cli.recipes_for", lambda _: ())

    shown = CliRunner().invoke(main, ["explain", "SIG-02", "--framework", "spring"])

    assert shown.exit_code == 0
    assert "No recipe for Spring yet" in shown.output


def test_every_requirement_has_a_recipe() -> None:
    """Whatever a report finds broken, there is code that mends it."""
    assert [requirement.id for requirement in load() if not recipes_for(requirement.id)] == []
