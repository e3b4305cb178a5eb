"""The templates of reports."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment(*, autoescape: bool) -> Environment:
    """Jinja for a report.

    Args:
        autoescape: whether the format is HTML, in which everything is text unless a template marks it.
    """
    return Environment(
        loader=PackageLoader("conformance.reports"),
        autoescape=autoescape,  # noqa: S701 - of Markdown the template escapes what is needed
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
