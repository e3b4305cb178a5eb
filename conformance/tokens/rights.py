"""What a token's claims, or an answer that brought it, say that the holder may do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_OF_RIGHTS: Final = re.compile(
    r"^(aud|audience|resource|scp)$|scope|role|group|permission|authorit|entitle|privilege|admin|staff|superuser",
    re.IGNORECASE,
)
_SEPARATED: Final = re.compile(r"[\s,]+")

Rights = frozenset[tuple[str, str]]


def rights_in(members: Mapping[str, Any]) -> Rights:
    """Every right that a JSON object names, as the member's path and one value.

    A member counts where its name speaks of rights (`scope`, `roles`, `aud`, `is_admin`), and so does all inside it. A
    flag that is off is no right, and neither is an empty list.
    """
    return frozenset(_walk(members, "", counts=False))


def _walk(value: Any, path: str, *, counts: bool) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for name, item in value.items():
                place = f"{path}.{name}" if path else str(name)
                yield from _walk(item, place, counts=counts or bool(_OF_RIGHTS.search(str(name))))
        case list():
            for item in value:
                yield from _walk(item, path, counts=counts)
        case str() if counts:
            yield from ((path, word) for word in _SEPARATED.split(value) if word)
        case bool() | int() | float() if counts and value:
            yield path, str(value).lower()
