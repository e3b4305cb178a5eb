"""The options of a run: declared once, for pytest and for the command, the environment and configuration files."""

from __future__ import annotations

import itertools
import math
import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from conformance.catalogue import Tier
from conformance.errors import ConfigurationError, nearest
from conformance.target.profile import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Option:
    """An option: its name without dashes, what it takes, and its help text. A secret is never shown.

    One that takes nothing, since its metavar is empty, is a switch.
    """

    name: str
    metavar: str
    help: str
    default: str | None = None
    secret: bool = False

    @property
    def is_switch(self) -> bool:
        """Whether it is either there or not."""
        return not self.metavar

    @property
    def dest(self) -> str:
        """The attribute under which pytest keeps it; prefixed, since pytest's namespace is everybody's."""
        return f"conformance_{self.name.replace('-', '_')}"

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"CONFORMANCE_{self.name.replace('-', '_').upper()}"


SWITCH_WORDS: Final = {"1": True, "true": True, "yes": True, "on": True,
                       "0": False, "false": False, "no": False, "off": False}  # fmt: skip

CLOCKS: Final = ("auto", "waiting")

BASE_URL: Final = Option("base-url", "URL", "The API under test; the bundled reference server when absent.")

OPTIONS: Final = (
    Option(
        "app", "MODULE:NAME", "Your own WSGI or ASGI application, served in this process, where its clock is moved."
    ),
    Option("launch", "COMMAND", "What starts your server at the URL; started and stopped with the run."),
    Option("launch-timeout", "SECONDS", "How long that may take until it answers.", "30"),
    Option("libfaketime", "FILE", "The library that moves a launched server's clock; the system's own when absent."),
    Option("clock", "|".join(CLOCKS), "Whether time is moved where that can be done, or only waited for.", CLOCKS[0]),
    Option("username", "NAME", "The account that the suite logs in with."),
    Option("password", "TEXT|@FILE", "Its password, or @ and a file that holds it.", secret=True),
    Option("second-username", "NAME", "A second account, for checks that need two people."),
    Option("second-password", "TEXT|@FILE", "Its password, or @ and a file that holds it.", secret=True),
    Option("disposable-username", "NAME", "An account that may be locked by wrong passwords during the run."),
    Option("disposable-password", "TEXT|@FILE", "Its password, or @ and a file that holds it.", secret=True),
    Option(
        "access-token", "TEXT|@FILE", "An access token, where the API has no login; or @ and its file.", secret=True
    ),
    Option(
        "refresh-token", "TEXT|@FILE", "A refresh token, where the API has no login; or @ and its file.", secret=True
    ),
    Option("target-profile", "NAME|FILE", "How the API speaks: a shipped profile or a TOML file.", DEFAULT),
    Option(
        "signing-key",
        "TEXT|@FILE",
        "The API's HMAC secret or private key (PEM), to mint tokens.",
        secret=True,
    ),
    Option("client-id", "ID", "The OAuth client that the accounts' tokens are issued to."),
    Option("client-secret", "TEXT|@FILE", "Its secret, or @ and a file that holds it.", secret=True),
    Option("second-client-id", "ID", "Another OAuth client, for checks that need two."),
    Option("second-client-secret", "TEXT|@FILE", "Its secret, or @ and a file that holds it.", secret=True),
    Option("public-key", "@FILE", "The API's public key (PEM), where it publishes no JWK Set."),
    Option("tier", "|".join(map(str, Tier)), "How far to go.", str(Tier.CORE)),
    Option(
        "intrusive",
        "",
        "Also check what may lock an account, load the server or make it call out. Only on a server of your own.",
    ),
    Option(
        "canary-host",
        "HOST",
        "The address at which the API can reach this machine, to see whether it calls out; known for a local API.",
    ),
    Option("max-wait", "SECONDS", "The longest wait for a token to expire, or for a Retry-After.", "30"),
    Option("rate", "PER_SECOND|off", "The most requests a second. Default: 20, and off for an API on this machine."),
    Option("concurrency", "N", "The most requests under way at once; 1 leaves out races. Default: 6, and races."),
    Option("fuzz-time", "SECONDS", "How long the fuzzing stage takes; 0 leaves it out of the strict tier.", "15"),
    Option(
        "openapi-url", "URL", "Where the API's OpenAPI document is, for the fuzzing stage: a path, or below the URL."
    ),
    Option("fuzz-stories", "FOLDER", "Where stories that were found are kept, and told first the next time."),
    Option("fuzz-seed", "N", "What its chance begins with, to see again what another run has seen."),
    Option("plan", "", "Tell what the run would do to the API, and send nothing."),
    Option("baseline", "FILE", "Known deviations, which do not fail the run; those that are gone do."),
    Option("update-baseline", "", "Bring that file up to date with this run."),
    Option("report-json", "FILE", "Write the verdicts and their evidence as JSON."),
    Option("report-html", "FILE", "Write them as a page to read, in one file."),
    Option("report-sarif", "FILE", "Write the findings as SARIF 2.1.0, for code scanning."),
    Option("report-markdown", "FILE", "Write a summary in Markdown, for a job or a pull request."),
    Option("badge", "FILE", "Write a badge: SVG, or an endpoint for shields.io where the name ends in .json."),
)

NO_FILES: Final = "JWT_CONFORMANCE_NO_FILES"
"""The environment variable with which a run reads no configuration file: whoever starts it gives all there is."""

REPORTS: Final = ("report-json", "report-html", "report-sarif", "report-markdown", "badge")
"""The options that name a file to write the verdicts to."""


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What the user asked for, checked. Secrets stay out of its repr."""

    base_url: str = ""
    app: str = ""
    launch: str = field(default="", repr=False)
    launch_timeout_s: float = 30.0
    libfaketime: str = ""
    clock: str = CLOCKS[0]
    username: str = ""
    password: str = field(default="", repr=False)
    second_username: str = ""
    second_password: str = field(default="", repr=False)
    disposable_username: str = ""
    disposable_password: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    second_client_id: str = ""
    second_client_secret: str = field(default="", repr=False)
    target_profile: str = DEFAULT
    signing_key: str = field(default="", repr=False)
    public_key: str = ""
    tier: Tier = Tier.CORE
    intrusive: bool = False
    canary_host: str = ""
    max_wait_s: float = 30.0
    rate: float | None = None
    """Requests a second, infinite for no limit; None where it depends on how far away the target is."""
    concurrency: int | None = None
    fuzz_time_s: float = 15.0
    fuzz_seed: int | None = None
    fuzz_stories: str = ""
    openapi_url: str = ""
    plan: bool = False
    baseline: str = ""
    update_baseline: bool = False
    report_json: str = ""
    report_html: str = ""
    report_sarif: str = ""
    report_markdown: str = ""
    badge: str = ""
    strict: bool = False

    @property
    def reports(self) -> dict[str, str]:
        """The report files that were asked for, by option."""
        files = {option: getattr(self, option.replace("-", "_")) for option in REPORTS}
        return {option: file for option, file in files.items() if file}


def resolve(
    given: Mapping[str, str | bool | None], *, strict: bool, folder: Path, needs_account: bool = True
) -> RunSettings:
    """The settings of a run: what was given, else the environment, else a configuration file, else the default.

    Args:
        given: options of the command line by name; None where absent.
        strict: whether a broken SHOULD fails the run.
        folder: where `conformance.toml`, or `pyproject.toml` with `[tool.jwt-conformance]`, is looked for.
        needs_account: whether a target is of no use without an account.

    Raises:
        ConfigurationError: an unknown name or a value that means nothing, in any of these places.
    """
    configured = _file(folder)
    _check_environment()
    values: dict[str, str | bool | None] = {}
    for option in (BASE_URL, *OPTIONS):
        value = given.get(option.name)
        if value is None:
            value = os.environ.get(option.variable) or None
        values[option.name] = configured.get(option.name) if value is None else value
    return settled(values, strict=strict or bool(configured.get("strict")), needs_account=needs_account)


def settled(given: Mapping[str, str | bool | None], *, strict: bool, needs_account: bool = True) -> RunSettings:
    """The settings of a run of which all is given that is not the default; the environment and files do not count.

    Args:
        given: options by name; None where absent.
        strict: whether a broken SHOULD fails the run.
        needs_account: whether a target is of no use without an account.

    Raises:
        ConfigurationError: a value means nothing, or two of them contradict each other.
    """
    values: dict[str, Any] = {}
    for option in (BASE_URL, *OPTIONS):
        value = given.get(option.name)
        if value is None:
            value = option.default
        if value is not None:
            name = option.name.replace("-", "_")
            values[name] = _switched(option, value) if option.is_switch else _contents(option, str(value))
    values["tier"] = _tier(values["tier"])
    for name in ("max_wait", "launch_timeout", "fuzz_time"):
        values[f"{name}_s"] = _seconds(name.replace("_", "-"), values.pop(name))
    values["rate"] = _rate(values["rate"]) if "rate" in values else None
    values["concurrency"] = _count(values["concurrency"]) if "concurrency" in values else None
    values["fuzz_seed"] = _seed(values["fuzz_seed"]) if "fuzz_seed" in values else None
    settings = RunSettings(strict=strict, **values)
    _check_together(settings, needs_account=needs_account)
    return settings


def _check_together(settings: RunSettings, *, needs_account: bool) -> None:
    for prefix in ("", "second_", "disposable_"):
        name, password = getattr(settings, f"{prefix}username"), getattr(settings, f"{prefix}password")
        dashed = prefix.replace("_", "-")
        if bool(name) != bool(password):
            missing = "password" if name else "username"
            raise ConfigurationError(
                f"--{dashed}{missing} is missing",
                f"give it, or set CONFORMANCE_{prefix.upper()}{missing.upper()}",
            )
    _check_target(settings)
    has_any = settings.username or settings.access_token or settings.refresh_token
    if needs_account and (settings.base_url or settings.app) and not has_any and not settings.plan:
        raise ConfigurationError(
            "a target needs an account to log in with",
            "give --username and --password, or set CONFORMANCE_USERNAME and CONFORMANCE_PASSWORD",
        )
    if settings.public_key and "-----BEGIN" not in settings.public_key:
        raise ConfigurationError("--public-key is no PEM", "write @ before the name of the file that holds it")
    for option, file in settings.reports.items():
        _check_no_folder(option, file)
    if settings.update_baseline and not settings.baseline:
        raise ConfigurationError("--update-baseline needs the file", "give --baseline")
    if settings.client_id and settings.client_id == settings.second_client_id:
        raise ConfigurationError("the second client is the first one again", "give two different clients")
    names = {"first": settings.username, "second": settings.second_username, "disposable": settings.disposable_username}
    for (one, name), (other, again) in itertools.combinations(names.items(), 2):
        if name and name == again:
            raise ConfigurationError(f"the {other} account is the {one} one again", "give two different accounts")


def _check_target(settings: RunSettings) -> None:
    if settings.app and (settings.base_url or settings.launch):
        other = "--launch" if settings.launch else "--base-url"
        raise ConfigurationError(
            f"--app and {other} name two targets",
            "leave one of them out, in the environment and in configuration files as well",
        )
    if settings.launch and not settings.base_url:
        raise ConfigurationError("--launch needs the URL at which the server is going to answer", "give --base-url")
    if settings.clock not in CLOCKS:
        raise ConfigurationError(f"--clock {settings.clock!r} is none of {', '.join(CLOCKS)}")


def check_writable(option: str, file: str) -> None:
    """A report can be written there, as far as can be seen.

    Raises:
        ConfigurationError: the folder is none, or cannot be made.
    """
    try:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"--{option} {file!r} cannot be written: {error.strerror}") from None
    _check_no_folder(option, file)


def _check_no_folder(option: str, file: str) -> None:
    if Path(file).is_dir():
        raise ConfigurationError(f"--{option} {file!r} is a folder", "name a file in it")


def _check_environment() -> None:
    known = {option.variable for option in (BASE_URL, *OPTIONS)}
    for variable in os.environ:
        if variable.startswith("CONFORMANCE_") and variable not in known:
            raise ConfigurationError(f"the environment variable {variable} is no option{nearest(variable, known)}")


def _file(folder: Path) -> dict[str, Any]:
    if os.environ.get(NO_FILES):
        return {}
    for name, table in (("conformance.toml", ()), ("pyproject.toml", ("tool", "jwt-conformance"))):
        path = folder / name
        if not path.is_file():
            continue
        try:
            data: Any = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            if table:
                continue  # Somebody else's pyproject.toml, and theirs to mend.
            raise ConfigurationError(f"{name} cannot be read: {error}") from None
        for key in table:
            data = data.get(key, {}) if isinstance(data, dict) else {}
        if not isinstance(data, dict):
            raise ConfigurationError(f"{name}: [{'.'.join(table)}] is no table")
        if data:
            return _checked(data, name)
    return {}


def _checked(data: dict[str, Any], origin: str) -> dict[str, Any]:
    known = {option.name for option in (BASE_URL, *OPTIONS)} | {"strict"}
    for key, value in data.items():
        if key not in known:
            raise ConfigurationError(f"{origin} has an unknown option {key!r}{nearest(key, known)}")
        if key == "strict" and not isinstance(value, bool):
            raise ConfigurationError(f"{origin}: strict is true or false")
    return {key: value if isinstance(value, bool) else str(value) for key, value in data.items()}


def _contents(option: Option, value: str) -> str:
    """The value itself, or what is in the file that an @ points to."""
    if "@FILE" not in option.metavar or not value.startswith("@"):
        return value
    try:
        with Path(value[1:]).open(encoding="utf-8", newline="") as file:
            text = file.read()
        # A key that was published is tried byte for byte; of a secret the last line break is the editor's.
        return text.rstrip("\r\n") if option.secret else text
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        if option.secret:
            # What follows the @ may be a secret that begins with one.
            raise ConfigurationError(
                f"--{option.name} begins with @, and the file that this names cannot be read: {reason}",
                "check the path; a value that itself begins with @ goes into a file",
            ) from None
        raise ConfigurationError(f"--{option.name}: the file {value[1:]!r} cannot be read: {reason}") from None


def _tier(value: str) -> Tier:
    try:
        return Tier(value)
    except ValueError:
        names = [str(tier) for tier in Tier]
        raise ConfigurationError(f"--tier {value!r} is none of {', '.join(names)}{nearest(value, names)}") from None


def _switched(option: Option, value: str | bool) -> bool:
    word = str(value).strip().lower()
    if word not in SWITCH_WORDS:
        raise ConfigurationError(f"{option.name} is {value!r}, and a switch is on or off")
    return SWITCH_WORDS[word]


def _seconds(name: str, value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ConfigurationError(f"--{name} {value!r} is no number of seconds")
    return seconds


def _rate(value: str) -> float:
    if value.strip().lower() in {"off", "unlimited"}:
        return math.inf
    try:
        rate = float(value)
    except ValueError:
        rate = 0.0
    if not 0 < rate < math.inf:
        raise ConfigurationError(
            f"--rate {value!r} is no number of requests a second", "write for instance 5, 0.5, or off for no limit"
        )
    return rate


def _seed(value: str) -> int:
    if not (value.strip().isascii() and value.strip().isdigit()):
        raise ConfigurationError(f"--fuzz-seed {value!r} is no seed", "write the number that a run has told")
    return int(value)


def _count(value: str) -> int:
    if not (value.strip().isascii() and value.strip().isdigit() and int(value)):
        raise ConfigurationError(f"--concurrency {value!r} is no number of requests", "write 1 or more")
    return int(value)
