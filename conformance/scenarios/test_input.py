"""Input of the login."""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from conformance.scenarios.trial import Bracket, Trial

WRONG_TYPES: Final[tuple[Any, ...]] = (
    0, 1, True, [], {}, {"$ne": None}, {"$gt": ""}, {"$regex": ".*"}, {"length": 8},
)  # fmt: skip

METACHARACTERS: Final = (
    "' OR '1'='1' -- ", "admin'-- ", '" OR ""="', "*)(uid=*))(|(uid=*", "\\", "%00", "{{1337*7331}}", "${1337*7331}",
    "<%= 1337*7331 %>",
)  # fmt: skip
EVALUATED: Final = str(1337 * 7331)
DELAY_S: Final = 4
DELAYS: Final = (
    f"x'; SELECT pg_sleep({DELAY_S})-- ",
    f"x' OR SLEEP({DELAY_S})#",
    f"x'; WAITFOR DELAY '0:0:{DELAY_S}'-- ",
)
DATABASE_ERROR: Final = re.compile(
    r"SQL syntax|SQLSTATE|sqlite3?\.|psycopg|ORA-\d{4,}|unterminated quoted|unrecognized token|LDAPException"
    r"|MongoError",
    re.IGNORECASE,
)


def test_input_01(target: Trial) -> None:
    """A login body that lacks a member, or has it null, empty or blank, is refused as invalid input."""
    account, door = target.account, target.login_door
    nobody = f"nobody-{secrets.token_hex(6)}"
    with target.bracket(door) as login:
        login.refuses("an empty object", door.json(door.without("username", "password", account=account)), cleanly=True)
        login.refuses("no username", door.json(door.without("username", account=account)), cleanly=True)
        for words, value in (("null", None), ("empty", ""), ("blank", "   ")):
            login.refuses(f"the username is {words}", door.credentials(value, account.password), cleanly=True)
        for words, make in (
            ("no password", lambda name: _without_password(target, name)),
            ("the password is null", lambda name: target.guess(name, None)),
            ("the password is empty", lambda name: target.guess(name, "")),
            ("the password is blank", lambda name: target.guess(name, "   ")),
        ):
            known = login.refuses(words, make(account.username), cleanly=True)
            unknown = target.send(make(nobody))
            target.expect(
                known.response.status == unknown.response.status,
                f"{words}, for a user who exists and for one who does not",
                expected="one answer for both",
                observed=f"{known.response.status} for the first and {unknown.response.status} for the second",
                shown_by=[("a user who exists", known), ("one who does not", unknown)],
            )


def _without_password(target: Trial, name: str) -> Any:
    door = target.login_door
    body = door.without("password", account=target.account)
    return door.json(json.loads(json.dumps(body).replace(json.dumps(target.account.username), json.dumps(name))))


def test_input_02(target: Trial) -> None:
    """Values of the wrong JSON type neither log in nor crash the server."""
    account, door = target.account, target.login_door
    with target.bracket(door) as login:
        for value in (*WRONG_TYPES, [account.password]):
            shown = "a list with the right password" if value == [account.password] else json.dumps(value)
            login.refuses(f"the password is {shown}", target.guess(account.username, value), cleanly=True)
        for value in (*WRONG_TYPES, [account.username]):
            login.refuses(
                f"the username is {json.dumps(value)}",
                door.credentials(value, account.password),
                cleanly=True,
            )


def test_input_03(target: Trial) -> None:
    """Metacharacters of queries, directories and templates are plain text to the login."""
    name, wrong = target.account.username, target.target.wrong_password()
    with target.bracket(target.login_door) as login:
        request = target.guess(f"nobody-{secrets.token_hex(6)}", wrong)
        ordinary = target.send(request)
        if target.login_door.bought(request, ordinary.response):
            target.inconclusive("an ordinary unknown user logs in as well (see LOGIN-03)")
        for text in METACHARACTERS:
            _harmless(target, login, f"the username {text!r}", text, wrong)
        for text in METACHARACTERS[:1]:
            _harmless(target, login, f"the password {text!r}", name, text)
        for text in DELAYS:
            exchange = _harmless(target, login, f"the username {text!r}", text, wrong)
            delay = exchange.response.elapsed_s - ordinary.response.elapsed_s
            if not target.expect(
                delay < DELAY_S - 0.5,
                f"the time of the answer to the username {text!r}",
                expected="as for an ordinary unknown user",
                observed=f"{delay:.1f} s longer: the text was run",
                shown_by=[("an ordinary unknown user", ordinary), ("the probe", exchange)],
            ):
                break


def _harmless(target: Trial, login: Bracket, case: str, username: str, password: str) -> Any:
    exchange = login.refuses(case, target.guess(username, password), cleanly=True)
    text = exchange.response.text
    for what, found in (
        ("the value of the expression in it", EVALUATED in text),
        ("a database's error message", bool(DATABASE_ERROR.search(text))),
    ):
        target.expect(
            not found,
            case,
            expected="the answer that any unknown user gets",
            observed=f"an answer that holds {what}",
            shown_by=[(case, exchange)],
        )
    return exchange


def test_input_04(target: Trial) -> None:
    """A body that is not one JSON object is refused, and crashes neither the login nor the refresh."""
    account, door = target.account, target.login_door
    right = json.dumps(door.body(account.username, account.password))
    wrong = json.dumps(door.body(account.username, target.target.wrong_password()))
    bodies = {
        "an empty body": "",
        "a single brace": "{",
        "an object that stops halfway": '{"username":',
        "null": "null",
        "a number": "1",
        "a string": '"x"',
        "an empty array": "[]",
        "an array of credentials": f"[{wrong},{right}]",
        "NaN and Infinity as values": json.dumps(door.body(float("nan"), float("inf"))),
    }
    # RFC 8259 §9: "A JSON parser MAY accept non-JSON forms or extensions." Go's, for one, stops after the first value.
    lenient = {
        "an object and trailing text": f"{right} trailing",
        "an object in single quotes": right.replace('"', "'"),
    }
    with target.bracket(door) as login:
        target.guess(account.username, "")  # the array's first element, should it be counted
        for case, body in bodies.items():
            login.refuses(case, door.raw(body.encode()), cleanly=True)
        for case, body in lenient.items():
            request = door.raw(body.encode())
            exchange = target.send(request)
            if exchange.response.is_success and door.bought(request, exchange.response):
                target.remark(f"{case} logs in, which RFC 8259 §9 leaves to the parser")
                continue
            target.expect(
                exchange.response.is_client_error,
                case,
                expected="a refusal with a 4xx status, or the login that a lenient parser makes of it",
                observed=f"{door.label} answered {exchange.response.status}",
                shown_by=[(case, exchange)],
            )
    refresh = target.refresh_door
    with target.bracket(refresh) as bracket:
        for case in ("a single brace", "an empty array", "a string"):
            session = bracket.session
            honest = refresh.present(session.refresh.value, session, headers=(("Content-Type", "application/json"),))
            exchange = target.send(honest.with_body(bodies[case].encode()))
            if exchange.response.is_success:
                target.target.take_over(session, exchange)
            target.expect(
                exchange.response.status < 500,  # noqa: PLR2004 - the first server error
                f"{case} at {refresh.label}",
                expected="no server error",
                observed=f"{refresh.label} answered {exchange.response.status}",
                shown_by=[(case, exchange)],
            )
