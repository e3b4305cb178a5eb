"""Reading WWW-Authenticate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.target.challenges import Challenge, offers, parameter, parse

TCHAR = "!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz"
QUOTABLE = st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f") | st.just("\t")

words = st.text(TCHAR, min_size=1, max_size=8)
gaps = st.sampled_from(["", " ", "  ", "\t", " \t "])
commas = st.lists(st.tuples(gaps, st.just(","), gaps).map("".join), min_size=1, max_size=2).map("".join)


@st.composite
def written(draw: st.DrawFn) -> tuple[Challenge, str]:
    """A challenge, and one of the ways to write it."""
    scheme = draw(words)
    if draw(st.booleans()):
        token68 = draw(st.from_regex(r"\A[A-Za-z0-9._~+/-]+=*\Z"))
        return Challenge(scheme, token68=token68), scheme + draw(st.sampled_from([" ", "   "])) + token68
    names = draw(st.lists(words, max_size=4, unique_by=str.lower))
    parameters, quoted, parts = {}, set(), []
    for name in names:
        equals = draw(gaps) + "=" + draw(gaps)
        if draw(st.booleans()):
            value = draw(st.text(QUOTABLE, max_size=8))
            text = "".join(
                f"\\{character}" if character in '"\\' or draw(st.booleans()) else character for character in value
            )
            parts.append(f'{name}{equals}"{text}"')
            quoted.add(name.lower())
        else:
            value = draw(words)
            parts.append(f"{name}{equals}{value}")
        parameters[name.lower()] = value
    text = scheme + (" " if parts else "") + draw(commas).join(parts)
    return Challenge(scheme, parameters, quoted=frozenset(quoted)), text


@given(st.lists(st.lists(written(), min_size=1, max_size=3), max_size=3), commas, gaps)
def test_whatever_is_well_formed_is_read_as_it_was_meant(
    lines: list[list[tuple[Challenge, str]]], comma: str, gap: str
) -> None:
    """Every spelling of a list of challenges, on however many lines, reads as that list."""
    # A lone parameter without quotes may look like a token68 only where it has no value, which these all have.
    values = [gap + comma.join(text for _, text in line) + gap for line in lines]

    assert parse(values) == [challenge for line in lines for challenge, _ in line]


@given(st.text(max_size=40) | st.text(' ",=\\aB1\t', max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever a server sends, reading it ends, with challenges or with a ValueError."""
    try:
        for challenge in parse([text]):
            assert offers([text], challenge.scheme)
    except ValueError:
        pass
    parameter([text], "Bearer", "error")


@pytest.mark.parametrize(
    "value",
    [
        'Bearer realm="a',
        'Bearer realm="a"b"',
        'Bearer realm="a" error="b"',
        "Bearer realm=a b",
        'Bearer realm="a", realm="b"',
        'Bearer realm="a", REALM="b"',
        'Bearer, realm="a"',
        'Bearer realm="a";error="b"',
        'Bearer: realm="a"',
        'Bearer {"error": "b"}',
        "Bearer error=é",
        'Bearer error="a\x00"',
        'Bearer error="a\nb"',
        'Bearer error="\u2713"',
        'Bearer error="a\\"',
        'Bearer\trealm="a"',
        'realm="a"',
        '"Bearer"',
        "Bearer a b",
        "Bearer error=,realm=a",
    ],
)
def test_what_breaks_the_grammar_is_refused(value: str) -> None:
    """A value outside the grammar, or with a parameter twice in one challenge, is a ValueError."""
    with pytest.raises(ValueError, match=r"at character \d+"):
        parse([value])


def test_a_refusal_says_where() -> None:
    """The message names the problem and the place."""
    with pytest.raises(ValueError, match=r"^a comma is missing at character 17$"):
        parse(['Bearer error="a"b"'])


def test_the_same_parameter_may_stand_in_two_challenges() -> None:
    """Names are unique within a challenge, not within the header (RFC 9110 §11.2)."""
    basic, bearer = parse(['Basic realm="a", Bearer realm="b", error=c'])

    assert (basic.scheme, basic.parameters) == ("Basic", {"realm": "a"})
    assert (bearer.scheme, bearer.parameters) == ("Bearer", {"realm": "b", "error": "c"})
    assert bearer.quoted == {"realm"}


@pytest.mark.parametrize(
    ("values", "offered"),
    [
        (["Bearer"], True),
        (['bearer realm="a"'], True),
        (['Basic realm="a", BEARER'], True),
        (['Basic realm="a"', "Bearer"], True),
        (['Bearer realm="a"b"'], True),
        (['Bearers realm="a"'], False),
        (["Basic Bearer"], False),
        (['Basic realm="Bearer"'], False),
        ([], False),
    ],
)
def test_a_scheme_is_found_however_ill_formed_the_rest_is(values: list[str], offered: bool) -> None:
    """A scheme counts as offered where a challenge can begin, in any case."""
    assert offers(values, "Bearer") is offered


@pytest.mark.parametrize(
    ("values", "error"),
    [
        (['Bearer error="invalid_token"'], "invalid_token"),
        (["Bearer error=invalid_token"], "invalid_token"),
        (['Bearer realm="a"', 'bearer ERROR="x"'], "x"),
        (['DPoP error="x", Bearer realm="a"'], None),
        (['Bearer error_description="error=x"'], None),
        (['Bearer realm="a" error="x"'], "x"),
        (['Bearer error="x", error_description="a "quoted" b"'], "x"),
        (['Bearer realm="a'], None),
        ([], None),
    ],
)
def test_a_parameter_is_found_even_in_an_ill_formed_header(values: list[str], error: str | None) -> None:
    """A well-formed header is read by its grammar; of an ill-formed one, what a tolerant client would read."""
    assert parameter(values, "Bearer", "error") == error
