"""The value of WWW-Authenticate, read strictly (RFC 9110 §11.6.1) and as tolerant clients read it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# A field's bytes come as Latin-1, so that obs-text (RFC 9110 §5.5) is what lies above 0x7f.
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TOKEN68: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|\Z))")
_EQUALS: Final = re.compile(r"[ \t]*=[ \t]*")
_QUOTED: Final = re.compile(r'"((?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*)"')
_SPACES: Final = re.compile(r" +")
_COMMAS: Final = re.compile(r"[ \t]*(?:,[ \t]*)+")
_MENTIONED: Final = r"""(?i)(?:^|[\s,;]){}\s*=\s*(?:"([^"]*)"|([^\s",;]*))"""


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to authenticate that a server offers.

    Attributes:
        scheme: its name as written; compare it ignoring case.
        parameters: values, unquoted, by their names in lower case.
        token68: what stands there in place of parameters, or an empty string.
        quoted: the names of those parameters whose values stood in quotation marks.
    """

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)
    token68: str = ""
    quoted: frozenset[str] = frozenset()

    def has_scheme(self, scheme: str) -> bool:
        """Whether this is the scheme's challenge."""
        return self.scheme.lower() == scheme.lower()


def parse(values: Sequence[str]) -> list[Challenge]:
    """Every challenge of the header's lines, in their order.

    Empty elements of a list are let pass, as RFC 9110 §5.6.1.2 asks of whoever reads one.

    Raises:
        ValueError: a line breaks the grammar, or a challenge has a parameter twice (RFC 9110 §11.2).
    """
    return [challenge for value in values for challenge in _Line(value).challenges()]


def offers(values: Sequence[str], scheme: str) -> bool:
    """Whether the scheme is named where a challenge can begin, however ill-formed the rest is."""
    named = re.compile(rf"(?i)(?:^|,)\s*{re.escape(scheme)}(?=[\s,]|$)")
    return any(named.search(value) for value in values)


def parameter(values: Sequence[str], scheme: str, name: str) -> str | None:
    """A parameter of the scheme's challenge, even where the header is ill-formed; None where it is absent."""
    try:
        challenges = parse(values)
    except ValueError:
        found = re.search(_MENTIONED.format(re.escape(name)), ", ".join(values))
        return (found[1] or found[2] or "") if found else None
    named = (challenge.parameters for challenge in challenges if challenge.has_scheme(scheme))
    return next((parameters[name] for parameters in named if name in parameters), None)


class _Line:
    """One line of the header, read from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text.strip(" \t")
        self._at = 0

    def challenges(self) -> Iterator[Challenge]:
        self._take(_COMMAS)
        while self._at < len(self._text):
            yield self._challenge()

    def _take(self, pattern: re.Pattern[str]) -> str:
        """What the pattern matches here, which is then behind us; an empty string where it does not."""
        match = pattern.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match[0]

    def _challenge(self) -> Challenge:
        scheme = self._take(_TOKEN)
        if not scheme:
            raise self._error("a scheme is missing")
        if not self._take(_SPACES):
            self._end_of_element()
            return Challenge(scheme)
        if token68 := self._take(_TOKEN68):
            # `Basic Bearer`, say, is a token68 as well as nothing that anybody means; the grammar allows it.
            self._end_of_element()
            return Challenge(scheme, token68=token68)
        parameters: dict[str, str] = {}
        quoted: set[str] = set()
        self._take(_COMMAS)
        while (start := self._at) < len(self._text):
            name = self._take(_TOKEN).lower()
            if not name or not self._take(_EQUALS):
                # No parameter, so the next challenge begins here: after a comma, which `_end_of_element` has seen.
                self._at = start
                if not parameters and not self._after_comma():
                    raise self._error("neither a parameter nor a comma follows the scheme")
                break
            if name in parameters:
                raise self._error(f"the parameter {name} stands there twice")
            parameters[name], is_quoted = self._value(name)
            if is_quoted:
                quoted.add(name)
            self._end_of_element()
        return Challenge(scheme, parameters, quoted=frozenset(quoted))

    def _value(self, name: str) -> tuple[str, bool]:
        if match := _QUOTED.match(self._text, self._at):
            self._at = match.end()
            return re.sub(r"\\(.)", r"\1", match[1], flags=re.DOTALL), True
        value = self._take(_TOKEN)
        if not value:
            raise self._error(f"the value of {name} is neither a word nor a quoted string")
        return value, False

    def _end_of_element(self) -> None:
        if self._at < len(self._text) and not self._take(_COMMAS):
            raise self._error("a comma is missing")

    def _after_comma(self) -> bool:
        return self._text[: self._at].rstrip(" \t").endswith(",")

    def _error(self, problem: str) -> ValueError:
        return ValueError(f"{problem} at character {self._at + 1}")
