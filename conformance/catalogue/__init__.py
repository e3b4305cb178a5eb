"""What is required of a token login: one TOML file per area, and the few lines that load them."""

import functools
import importlib.resources

from .model import (
    Area,
    Catalogue,
    CatalogueError,
    Hindrance,
    Level,
    NotTestable,
    Requirement,
    Tier,
    UnknownRequirementError,
    Vocabulary,
)
from .reading import read

__all__ = [
    "Area",
    "Catalogue",
    "CatalogueError",
    "Hindrance",
    "Level",
    "NotTestable",
    "Requirement",
    "Tier",
    "UnknownRequirementError",
    "Vocabulary",
    "load",
    "read",
]


@functools.cache
def load() -> Catalogue:
    """Return the catalogue that ships with the suite; its files are read once."""
    return read(importlib.resources.files(__name__))
