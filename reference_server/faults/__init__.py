"""Deliberately broken variants of the server, one behaviour each.

An area is a module or a package, named as in the catalogue, and is found by being there. A fault is a class in it: it
replaces the collaborator that it subclasses, changes settings, or both. Its docstring says what it does.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import pkgutil
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from reference_server.app import Collaborators
from reference_server.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reference_server.settings import Settings

_Class = TypeVar("_Class", bound=type)
_registry: dict[str, Fault] = {}


@dataclass(frozen=True, slots=True)
class Fault:
    """One deliberate fault.

    Attributes:
        name: what it is called, in kebab-case.
        area: the area of the catalogue that it belongs to, which is the module or package it is in.
        breaks: ids of the requirements that a run against it must find broken; no other may be.
        seen: where the same was seen in the wild.
        does: what it does, in a sentence.
        profile: the suite's target profile that shows it, where that is not the default one.
        blinds: ids of the requirements about which nothing can be told on it, since a control fails.
        settings: the settings that it changes.
        replaces: the collaborators that it replaces.
    """

    name: str
    area: str
    breaks: tuple[str, ...]
    seen: str
    does: str
    profile: str | None = None
    blinds: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    replaces: Mapping[str, type] = field(default_factory=dict)

    def apply(self, settings: Settings) -> tuple[Settings, Collaborators]:
        """What to give `create_app` for a server with this fault and otherwise these settings."""
        return combined([self], settings)

    def goes_with(self, other: Fault) -> bool:
        """Whether one server can have both, and what is found on it still tells one from the other."""
        return (
            (self.profile, self.settings) == (other.profile, other.settings)
            and not (self.blinds or other.blinds)
            and all(
                _compose(self.replaces[part], other.replaces[part]) for part in self.replaces if part in other.replaces
            )
            and set(self.breaks).isdisjoint(other.breaks)
        )


def fault(
    name: str,
    *breaks: str,
    seen: str,
    profile: str | None = None,
    blinds: tuple[str, ...] = (),
    also: tuple[type, ...] = (),
    **settings: Any,
) -> Callable[[_Class], _Class]:
    """Register the decorated class as a fault that breaks the requirements `breaks`.

    `also` holds further replacements, for a fault that several collaborators have to agree on.
    """

    def register(implementation: _Class) -> _Class:
        classes: tuple[type, ...] = (implementation, *also)
        if name in _registry:
            raise ValueError(f"two faults are named {name}")
        _registry[name] = Fault(
            name=name,
            area=implementation.__module__.removeprefix(f"{__name__}.").partition(".")[0],
            breaks=breaks,
            seen=seen,
            does=" ".join((implementation.__doc__ or "").split()),
            profile=profile,
            blinds=blinds,
            settings=settings,
            replaces={
                part.name: replacement
                for part in fields(Collaborators)
                for replacement in classes
                if issubclass(replacement, part.default)  # type: ignore[arg-type] # each default is a class
            },
        )
        return implementation

    return register


def _compose(one: type, other: type) -> bool:
    """Whether a class can inherit from both, and each still does what it does."""
    common = next(ancestor for ancestor in one.__mro__ if issubclass(other, ancestor))
    return common not in {one, other} and _changes(one, common).isdisjoint(_changes(other, common))


def _changes(replacement: type, common: type) -> set[str]:
    """The names that a class, and those between it and an ancestor, define anew."""
    between = [step for step in replacement.__mro__ if not issubclass(common, step)]
    return {name for step in between for name in vars(step) if not name.startswith("__") or name == "__init__"}


def combined(chosen: Sequence[Fault], settings: Settings) -> tuple[Settings, Collaborators]:
    """What to give `create_app` for a server with all of these faults.

    Raises:
        SettingsError: two of them change the same of a part.
    """
    replaces: dict[str, type] = {}
    for fault in chosen:
        for part, replacement in fault.replaces.items():
            other = replaces.get(part)
            if other and not _compose(other, replacement):
                raise SettingsError(
                    f"REFERENCE_FAULT: {fault.name} changes of the {part} what another fault has changed"
                )
            replaces[part] = type(replacement.__name__, (replacement, other), {}) if other else replacement
        settings = replace(settings, **fault.settings)
    return replace(settings, fault=",".join(fault.name for fault in chosen)), Collaborators(**replaces)


@functools.cache
def load() -> dict[str, Fault]:
    """Every fault there is, by name, in the order of areas and names."""
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"{__name__}.{module.name}")
    return dict(sorted(_registry.items(), key=lambda item: (item[1].area, item[0])))


def get(name: str) -> Fault:
    """The fault of that name.

    Raises:
        SettingsError: if there is none; the message names the nearest.
    """
    if name in load():
        return load()[name]
    nearest = difflib.get_close_matches(name, load(), n=1, cutoff=0)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
    raise SettingsError(f"REFERENCE_FAULT: there is no fault named {name!r}{hint}")
