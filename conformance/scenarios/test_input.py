"""Input of the login."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from conformance.scenarios.bodies import (
    JSON_LABELS,
    foreign,
    ill_formed,
    labelled,
    owner,
    repeated,
    spellings,
    with_query,
)
from conformance.scenarios.burdens import HUGE, LONG, SLOW_S, expect_promptness, expect_refusal, nested
from conformance.target.drafts import JSON_TYPE
from conformance.target.hanging_up import hang_up
from conformance.target.session import Account

if TYPE_CHECKING:
    from conformance.scenarios.bracket import Bracket
    from conformance.scenarios.trial import Trial
    from conformance.target.http import Request

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
    if not door.has_members:
        target.not_applicable("the login takes its credentials in a header, which has no members")
    nobody = target.account.nobody()
    values = {"null": None, "empty": "", "blank": "   "}
    if not door.takes_json:
        values.pop("null")
    with target.bracket(door) as login:
        nothing = "an empty object" if door.takes_json else "neither username nor password"
        login.refuses(nothing, door.lacking("username", "password", account=account), cleanly=True)
        login.refuses("no username", door.lacking("username", account=account), cleanly=True)
        for words, value in values.items():
            login.refuses(f"the username is {words}", door.credentials(value, account.password), cleanly=True)

        def lacking(name: str, words: str) -> Request:
            if words == "no password" and name == account.username:
                return target.login_without_password()
            if words == "no password":
                return door.lacking("password", account=Account(name, account.password))
            return target.guess(name, values[words.removeprefix("the password is ")])

        for words in ("no password", *(f"the password is {words}" for words in values)):
            known = login.refuses(words, lacking(account.username, words), cleanly=True)
            unknown = target.send(lacking(nobody, words))
            target.expect(
                known.response.status == unknown.response.status,
                f"{words}, for a user who exists and for one who does not",
                expected="one answer for both",
                observed=f"{known.response.status} for the first and {unknown.response.status} for the second",
                shown_by=[("a user who exists", known), ("one who does not", unknown)],
            )


def test_input_02(target: Trial) -> None:
    """Values of the wrong JSON type neither log in nor crash the server."""
    account, door = target.account, target.json_login_door
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
        request = target.guess(target.account.nobody(), wrong)
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
    account, door = target.account, target.json_login_door
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
                door.refuses_cleanly(exchange.response),
                case,
                expected="a refusal with a 4xx status, or the login that a lenient parser makes of it",
                observed=f"{door.label} answered {exchange.response.status}",
                shown_by=[(case, exchange)],
            )
    if not target.profile.has_refresh_token:
        return
    refresh = target.refresh_door
    with target.bracket(refresh) as bracket:
        for case in ("a single brace", "an empty array", "a string"):
            session = bracket.session
            honest = refresh.present(session.refresh.value, session, headers=JSON_TYPE)
            exchange = target.send(honest.with_body(bodies[case].encode()))
            if exchange.response.is_success:
                target.target.take_over(session, exchange)
            target.expect(
                not target.crashed(exchange),
                f"{case} at {refresh.label}",
                expected="no server error",
                observed=f"{refresh.label} answered {exchange.response.status}",
                shown_by=[(case, exchange)],
            )


def test_input_05(target: Trial) -> None:
    """A login body in a media type that the login does not take is refused, without a server error."""
    door, in_cookies = target.json_login_door, target.profile.uses_cookies
    with target.bracket(door):
        for case, request, may_be_offered in foreign(door, target.account):
            exchange, session = target.target.try_login(target.account, request=request)
            answer = exchange.response
            if session:
                target.target.keep_for_later(session)
                if may_be_offered and not in_cookies:
                    target.remark(f"{case} logs in as well")
                    continue
            target.expect(
                not session and not target.crashed(exchange),
                case,
                expected="a refusal: 415, or another status that blames the request",
                observed=f"{door.label} answered {answer.status}" + (" with tokens" if session else ""),
                shown_by=[(case, exchange)],
                certain=session is not None,
            )


def test_input_06(target: Trial) -> None:
    """However JSON may be labelled and written, the same credentials log in."""
    account, door = target.account, target.json_login_door
    honest = door.credentials(account.username, account.password)
    ways = spellings(door.body(account.username, account.password))
    for label, (words, body) in zip(JSON_LABELS, ways, strict=True):
        both = labelled(honest, label).with_body(body)
        case, (exchange, session) = f"{label}, {words}", target.target.try_login(account, request=both)
        if session:
            target.target.keep_for_later(session)
        else:
            # Which of the two was it?
            for half, request in ((label, labelled(honest, label)), (words, honest.with_body(body))):
                alone, found = target.target.try_login(account, request=request)
                if not found:
                    case, exchange = half, alone
                    break
        target.expect(
            session,
            case,
            expected="a success with tokens, as with the usual spelling",
            observed=f"{door.label} answered {exchange.response.status} without an access token",
            shown_by=[(case, exchange)],
        )


def test_input_07(target: Trial) -> None:
    """A member that occurs twice is refused, or one rule decides which copy counts."""
    account, door, wrong = target.account, target.json_login_door, target.target.wrong_password()
    name = account.username
    other = target.target.second_account or Account(target.account.nobody(), wrong)
    rules: dict[str, str] = {}
    with target.bracket(door):
        for member, values, rule in (
            ("username", (name, other.username), "the first counts"),
            ("username", (other.username, name), "the last counts"),
            ("password", (account.password, wrong), "the first counts"),
            ("password", (wrong, account.password), "the last counts"),
        ):
            target.guess(other.username if member == "username" else name, wrong)  # should it be counted as one
            case = f"{member} twice, the right one {'first' if values[0] in {name, account.password} else 'last'}"
            exchange, session = target.target.try_login(account, request=repeated(door, member, values, account))
            who, status = owner(target, session) if session else "", exchange.response.status
            target.expect(
                not (target.crashed(exchange) or (session and who == other.username)),
                case,
                expected=f"a refusal, or the tokens of {name!r}, whose password it is",
                observed=f"{door.label} answered {status}" + (f" with the tokens of {who!r}" if session else ""),
                shown_by=[(case, exchange)],
                certain=session is not None,
            )
            if session:
                rules[case] = rule
                target.target.keep_for_later(session)
        target.expect(
            len(set(rules.values())) <= 1,
            "which copy counts",
            expected="one rule for every member",
            observed="; ".join(f"{case}: {rule}" for case, rule in rules.items()),
            certain=True,
        )
    if rules:
        target.target.policy["a member twice"] = next(iter(rules.values()))


def test_input_08(target: Trial) -> None:
    """Text that is ill-formed, and numbers beyond measure, are refused, and nothing crashes."""
    door = target.json_login_door
    with target.bracket(door):
        for case, request in ill_formed(door, target.account):
            expect_refusal(target, door, case, request)


def test_input_09(target: Trial) -> None:
    """Input that is far too large or too deep is refused at once, and is no burden afterwards."""
    door, name, wrong = target.json_login_door, target.account.username, target.target.wrong_password()
    with target.bracket(door):
        ordinary_s = expect_refusal(target, door, "a wrong password", target.guess(name, wrong))
        huge = door.credentials("n" * HUGE, wrong)
        expect_refusal(target, door, "a username of 5 MiB", huge, may_hang_up=True)
        # As long as what follows, and so as long on its way, but not to be hashed.
        long_name = door.credentials("n" * LONG, wrong)
        sent_s = expect_refusal(target, door, "a username of a million letters", long_name, may_hang_up=True)
        most_s = sent_s + 2 * ordinary_s + SLOW_S
        case = "a password of a million letters, for a user who exists"
        expect_promptness(target, case, lambda: target.guess(name, "p" * LONG), most_s, may_hang_up=True)
        expect_promptness(target, "50,000 nested arrays", lambda: nested(door, wrong), most_s)
        for _ in range(3):
            hang_up(target.target.client, long_name.with_body(b'{"user'), promised=LONG)


def test_input_10(target: Trial) -> None:
    """What is in the URL neither logs in, nor refreshes, nor takes the place of what is in the body."""
    account, door, wrong = target.account, target.login_door, target.target.wrong_password()
    if target.profile.login.encoding == "query" or not door.has_members:
        target.not_applicable("the login does not take its credentials in a body")
    names = [path.rpartition(".")[2] for path in (target.profile.login.username, target.profile.login.password)]
    other = target.target.second_account or Account(target.account.nobody(), wrong)
    empty = door.lacking("username", "password", account=account)
    right = {names[0]: account.username, names[1]: account.password}
    with target.bracket(door) as login:
        login.refuses("credentials in the URL and none in the body", with_query(empty, right))
        guess = target.guess(account.username, wrong)
        login.refuses("a wrong password in the body and the right one in the URL", with_query(guess, right))
        honest = door.credentials(account.username, account.password)
        request = with_query(honest, {names[0]: other.username, names[1]: other.password})
        exchange, session = target.target.try_login(account, request=request)
        who = owner(target, session) if session else ""
        if target.expect(
            who != other.username,
            "one user's credentials in the body and another's in the URL",
            expected="the tokens of the first, or a refusal",
            observed=f"the tokens of {who!r}",
            shown_by=[("login", exchange)],
            certain=True,
        ) and session:  # fmt: skip
            target.target.keep_for_later(session)
    if not target.profile.has_refresh_token:
        return
    refresh, own = target.refresh_door, target.new_session()
    with target.bracket(refresh) as bracket:
        carriers = ("refresh_token", "token", "jwt")
        request = with_query(refresh.anonymous(JSON_TYPE), dict.fromkeys(carriers, own.refresh.value))
        bracket.refuses("a refresh token in the URL and nowhere else", request.with_body(b"{}"))
