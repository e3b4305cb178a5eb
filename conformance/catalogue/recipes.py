"""Recipes: how requirements are kept in the frameworks that people use most, as code."""

import functools
import importlib.resources
from dataclasses import dataclass
from typing import Any

from .reading import check_keys, parse

FRAMEWORKS = {
    "flask": ("Flask", "python"),
    "django": ("Django", "python"),
    "fastapi": ("FastAPI", "python"),
    "express": ("Express", "javascript"),
    "spring": ("Spring", "java"),
}
"""Each framework's key in a recipe, with its name and its language."""
_KEYS: dict[str, type] = {"title": str, "fixes": list, **dict.fromkeys(FRAMEWORKS, str)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One way to keep some requirements, in every framework.

    Attributes:
        name: the name of its file.
        title: what to do, in a sentence without its full stop.
        fixes: ids of the requirements that it keeps.
        code: by the framework's key, what to write.
    """

    name: str
    title: str
    fixes: tuple[str, ...]
    code: dict[str, str]


@functools.cache
def load_recipes() -> tuple[Recipe, ...]:
    """Return every recipe that ships with the suite, by name.

    Raises:
        CatalogueError: a file is malformed; the message names it.
    """
    folder = importlib.resources.files(__package__) / "recipes"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return tuple(_recipe(file.name, parse(file)) for file in files if file.name.endswith(".toml"))


def recipes_for(requirement_id: str) -> tuple[Recipe, ...]:
    """Return the recipes that keep a requirement; there may be none."""
    return tuple(recipe for recipe in load_recipes() if requirement_id in recipe.fixes)


def _recipe(file: str, document: dict[str, Any]) -> Recipe:
    check_keys(document, _KEYS, file)
    return Recipe(
        name=file.removesuffix(".toml"),
        title=document["title"],
        fixes=tuple(document["fixes"]),
        code={framework: document[framework].strip() for framework in FRAMEWORKS},
    )
