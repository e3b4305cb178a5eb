"""The user's own application: found by its name, served in the suite's process, and its clock moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.clocks.running import BOUND_S, Traces, reasons
from tests.hostile.command import (
    CREDENTIALS,
    PASSWORD,
    assert_told,
    clean,
    judge,
    jwt_conformance,
    plain_pytest,
    plugin,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hostile.command import Ended

EXPIRIES = ("EXPIRY-01", "EXPIRY-03", "EXPIRY-04", "EXPIRY-05")
CHOSEN = ("-k", " or ".join(name.lower().replace("-", "_") for name in EXPIRIES))
HINT_OF_KINDS = "(environ, start_response) or (scope, receive, send)"


def run_on(name: str, folder: Path, *options: str, **settings: str) -> Ended:
    """A run on an application; nothing of it is left."""
    traces = Traces(folder, **settings)
    ended = judge(f"--app={name}", *options, folder=folder, env=traces.env, bound=BOUND_S)
    assert traces.are_gone(), (traces.processes(), traces.files())
    return ended


def examined(name: str, folder: Path, **settings: str) -> Ended:
    """What the doctor says of an application."""
    return jwt_conformance("doctor", "--app", name, folder=folder, env=clean(**CREDENTIALS) | settings, bound=BOUND_S)


@pytest.mark.parametrize("name", ["flask_app:app", "asgi_app:app", "asgi_app:bare"])
def test_usual_lifetimes_are_checked_without_waiting(name: str, folder: Path) -> None:
    """15 minutes and a week are over at once, whatever the application is made with, and every verdict says by what."""
    ended = run_on(name, folder, *CHOSEN)
    assert ended.verdicts == dict.fromkeys(EXPIRIES, "passed"), ended.said
    assert {reasons(ended)[name] for name in EXPIRIES} == {"time passed by freezegun"}
    assert (ended.report["run"]["clock"], ended.report["run"]["waited_s"]) == ("freezegun", 0)
    assert ended.report["policy"]["leeway"] == "0 s"
    assert ended.report["target"]["bundled"] is False


@pytest.mark.parametrize("leeway", [1, 30])
def test_leeway_is_found_to_the_second(leeway: int, folder: Path) -> None:
    """The policy card tells for how long a token outlives its end."""
    ended = run_on("flask_app:app", folder, "-k", "expiry_01", LEEWAY_S=str(leeway))
    assert ended.report["policy"]["leeway"] == f"{leeway} s"
    assert ended.verdicts == {"EXPIRY-01": "passed"}


def test_the_whole_core_runs(folder: Path) -> None:
    """Nothing in the suite takes such a target for the bundled server, or for one that anybody else restarts."""
    ended = run_on("flask_app:app", folder)
    assert ended.report["run"]["suite_faults"] == []
    assert not {"failed", "inconclusive"} & set(ended.verdicts.values()), ended.said
    assert ended.code == 0


def test_warnings_of_the_application_are_its_own(folder: Path) -> None:
    """Where the user's pytest makes errors of warnings, those of the served application become none."""
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    options = ("--app", "flask_app:app", *CHOSEN, "-rA")
    ended = plain_pytest(*options, folder=folder, bound=BOUND_S)
    assert ended.code == 0, ended.said
    assert "4 passed" in ended.out


@pytest.mark.parametrize(
    "name",
    [
        "flask_app",
        "flask_app:create_app",
        "flask_app:create_app()",
        "flask_app:create_app({'TESTING': True})",
        "flask_app:create_app(config=None)",
        "flask_app:Holder.app",
        "flask_app:app.wsgi_app",
        "asgi_app",
        "asgi_app:Double",
    ],
)
def test_an_application_goes_by_the_names_that_others_give_it(name: str, folder: Path) -> None:
    """What gunicorn, uvicorn and Flask's own command understand is understood."""
    ended = examined(name, folder)
    assert ended.code == 0, ended.said
    assert "ok      the target follows freezegun\n" in ended.out


def test_a_lifespan_is_lived_to_its_end(folder: Path) -> None:
    """An ASGI application is told when it may give back what it holds."""
    assert examined("asgi_app:app", folder).code == 0
    assert (folder / "ended").exists()


def test_what_does_not_follow_is_waited_for(folder: Path) -> None:
    """An application that asks for the time in a way that freezegun does not see is judged as one at a URL is."""
    (folder / "native.py").write_text(
        # What a compiled library does.
        "import ctypes, tokens\n"
        "ask = ctypes.CDLL(None).time\n"
        "ask.restype = ctypes.c_long\n"
        "tokens.time = type('Clock', (), {'time': staticmethod(lambda: ask(None))})\n"
        "from flask_app import app\n"
    )
    ended = run_on("native:app", folder, *CHOSEN)
    assert ended.verdicts == dict.fromkeys(EXPIRIES, "untested"), ended.said
    for reason in reasons(ended).values():
        assert "since the target does not follow freezegun: the iat of its tokens showed the old time" in reason


# The name, what the message says, and what the hint says.
MISTAKES = {
    "no such module": ("flask_ap:app", "there is no module 'flask_ap'; did you mean 'flask_app'?", "it is looked for"),
    "no such submodule": ("tokens.web:app", "there is no module 'tokens.web'", "it is looked for"),
    "a file": ("web/flask_app.py:app", "names no module", "write it as Python imports it: web.flask_app:app"),
    "no name": (":app", "names no module", "write module:app"),
    "no such attribute": ("flask_app:ap", "'flask_app' has no attribute 'ap'; did you mean 'app'?", "after the colon"),
    "no such attribute of it": ("flask_app:Holder.ap", "'flask_app.Holder' has no attribute 'ap'; did you", ""),
    "no usual name": ("tokens", "names no attribute, and the module has none of app, application", "write tokens:NAME"),
    "no expression": ("flask_app:app[0]", "names no attribute after the colon", "module:create_app()"),
    "a call of a variable": ("flask_app:create_app(KEY)", "names no attribute after the colon", "but literals"),
    "no callable": ("flask_app:Holder.number", "a int, is no WSGI or ASGI application", HINT_OF_KINDS),
    "a function of the module": ("tokens:signed", "a function, is no WSGI or ASGI application", HINT_OF_KINDS),
    "a class": ("flask_app:Flask", "a class, is no WSGI or ASGI application", HINT_OF_KINDS),
    "a module": ("flask_app:warnings", "a module, is no WSGI or ASGI application", HINT_OF_KINDS),
    "a call of no function": ("flask_app:Holder.number()", "'Holder.number' is called, and is no function", ""),
    "a factory of nothing": ("flask_app:make_nothing", "makes, a NoneType, is no WSGI or ASGI", HINT_OF_KINDS),
    "a factory that fails": ("flask_app:make_error", "raises RuntimeError: cannot connect with <password>", "settings"),
    "a factory's arguments": ("flask_app:make_error(1)", "raises TypeError: make_error() takes 0 positional", ""),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_name_that_leads_to_no_application_is_told(mistake: str, folder: Path) -> None:
    """The message says what is wrong with the name, and the hint what a right one is."""
    name, words, hint = MISTAKES[mistake]
    ended = examined(name, folder)
    assert_told(ended, 2, words)
    assert hint in ended.err


# What the module holds, what the message says, and what the hint says.
BROKEN = {
    "it misses a module": ("import nonesuch.web\n", "importing 'broken' needs the module 'nonesuch'", "install what"),
    "it misses its own": ("import tokens, tokens.x\n", "importing 'broken' needs the module 'tokens.x'", ""),
    "it raises": (
        f"\nraise ValueError('{PASSWORD}')\n",
        "raises ValueError: <password>, in broken.py, line 2",
        "settin",
    ),
    "it exits": ("import sys\nsys.exit('no settings')\n", "raises SystemExit: no settings, in broken.py, line 2", ""),
    "it has a slip": ("\n\napp = (\n", "raises SyntaxError: '(' was never closed, in broken.py, line 3", ""),
    "it misses a name": ("from tokens import app\n", "raises ImportError: cannot import name 'app' from 'tokens'", ""),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_module_that_cannot_be_imported_is_told(case: str, folder: Path) -> None:
    """In a line, without a traceback and without secrets."""
    text, words, hint = BROKEN[case]
    (folder / "broken.py").write_text(text)
    ended = examined("broken:app", folder)
    assert_told(ended, 2, words)
    assert hint in ended.err
    assert PASSWORD not in ended.said


def test_an_application_that_does_not_start_is_told(folder: Path) -> None:
    """A lifespan that fails ends the run, with its reason."""
    ended = examined("asgi_app:app", folder, NO_DATABASE="1")
    assert_told(ended, 2, "the application does not start: RuntimeError: no database for <password>")
    assert "look into its lifespan" in ended.err


def test_without_uvicorn_the_message_says_what_to_install(folder: Path) -> None:
    """It is an optional dependency, which WSGI does without."""
    env = plugin(folder, "bare", "import sys\nsys.modules['uvicorn'] = None\n")
    for name, code in (("asgi_app:app", 2), ("flask_app:app", 0)):
        options = ("--app", name, "-k", "login_01", "--", "-p", "bare")
        ended = jwt_conformance("run", *options, folder=folder, env=env, bound=BOUND_S)
        assert ended.code == code, ended.said
        assert ("pip install 'jwt-conformance[asgi]'" in ended.said) == (code == 2)


def test_an_application_needs_an_account(folder: Path) -> None:
    """The suite does not know whom it has."""
    ended = jwt_conformance("doctor", "--app", "flask_app:app", folder=folder, env=clean())
    assert_told(ended, 2, "a target needs an account to log in with")


def test_plain_pytest_tells_a_mistake_as_well(folder: Path) -> None:
    """As a usage error of pytest's."""
    ended = plain_pytest("--app", "flask_ap:app", folder=folder, bound=BOUND_S)
    assert_told(ended, pytest.ExitCode.USAGE_ERROR, "there is no module 'flask_ap'; did you mean 'flask_app'?")
