"""YAML that somebody else wrote: values and nothing else, and no more of them than there is text for."""

from __future__ import annotations

from typing import Any

from conformance.errors import ConfigurationError


def from_yaml(text: bytes | str, origin: str) -> Any:
    """The value of a text that somebody else wrote and that is no JSON.

    Args:
        text: what was written.
        origin: where it is from, for whoever is told of it.

    Raises:
        ConfigurationError: it is no YAML that can be read, or nothing is installed that reads it.
    """
    try:
        import yaml  # noqa: PLC0415 - an installation need not have it
    except ImportError:
        raise ConfigurationError(
            f"{origin} is no JSON", "if it is YAML, install PyYAML; or give the document as JSON"
        ) from None

    class _Loader(yaml.SafeLoader):
        """Without aliases, which can make a little text endless."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.events.AliasEvent):
                raise yaml.YAMLError("it has aliases")
            return super().compose_node(parent, index)

    try:
        return yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ConfigurationError(f"{origin} is neither JSON nor YAML that can be read") from None
