"""Reads the names an operator has set: which count, which are unknown, which come from a file."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from dotenv import dotenv_values

SECRETS = frozenset(
    {
        "DATABASE_URL",
        "REDIS_URL",
        "TWILIO_AUTH_TOKEN",
        "TWILIO_API_KEY_SECRET",
        "SESSION_SECRET",
        "OIDC_CLIENT_SECRET",
        "LINK_SECRET",
        "NUMBER_ENCRYPTION_KEY",
        "NUMBER_HASH_KEY",
        "STATEMENT_KEY",
        "METRICS_TOKEN",
    }
)
# Beside the secrets: one of the account's two halves, which a vault keeps with the other.
FROM_FILES = SECRETS | {"TWILIO_ACCOUNT_SID"}
# Each source's credentials stand in a variable of its own, named with the source.
CREDENTIALS = "SOURCE_"
# `make` and the tests read these themselves; they are no settings of the service.
FOR_MAKE = frozenset({"ARTICLES", "CHROMIUM", "SETS"})
# honcho gives every process another PORT, counted up by 100: `make run` hands the true one over by this.
PORT_UNDER_HONCHO = "OFFHOLD_PORT"
# Names below these are likely meant for us, so one that we do not know is told.
OUR_PREFIXES = ("OFFHOLD_", "TWILIO_", "NUMBER_")
_ALIKE = 0.85


class Given(NamedTuple):
    """What was set."""

    values: dict[str, str]  # NAME -> text of every setting that was given
    problems: list[str]  # what is wrong with the names and files
    ignored: tuple[str, ...]  # names of the environment that look like ours and are none, in a line each


def read(environ: Mapping[str, str], dotenv: Path | None, known: frozenset[str]) -> Given:
    """The settings that were given. The environment goes before `dotenv`. Empty values count as not set.

    An unknown name in `dotenv` is a problem. The environment has names of others as well: there it is one only when
    it all but spells a name of ours.
    """
    noted = {} if dotenv is None else {name: value or "" for name, value in dotenv_values(dotenv).items()}
    files = {f"{name}_FILE": name for name in FROM_FILES}
    allowed = known | FOR_MAKE | files.keys() | {PORT_UNDER_HONCHO}
    strangers = [name for name in environ if name not in allowed]
    unknown = [name for name in noted if name not in allowed and not name.startswith(CREDENTIALS)]
    problems = [_unknown(name, allowed) for name in unknown]
    problems += [_unknown(name, allowed) for name in strangers if _misspelt(name, known)]
    ignored = [
        f"{name}: no such setting; ignored"
        for name in strangers
        if name.startswith(OUR_PREFIXES) and not _misspelt(name, known)
    ]
    linked = {name for name, value in environ.items() if _is_service_link(name, value)}
    ignored += [f"{name}: expected a number; ignored" for name in linked]
    ours = _true_port({name: value for name, value in environ.items() if name not in linked})
    values = {name: value for name, value in (noted | ours).items() if value.strip()}
    given = {name: value.strip() for name, value in values.items() if name in known}
    for file_name, name in files.items():
        if file_name not in values:
            continue
        if name in given:
            problems.append(f"{name}: set, and {file_name} too; expected one of them")
            continue
        try:
            given[name] = Path(values[file_name].strip()).read_text(encoding="utf-8-sig").strip()
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{file_name}: cannot be read ({type(error).__name__}); expected a text file's path")
    return Given(given, sorted(problems), tuple(sorted(ignored)))


def _is_service_link(name: str, value: str) -> bool:
    """Whether an orchestrator wrote this: Kubernetes gives every container of a service called "offhold" (or
    "postgres", "valkey", "phone") an OFFHOLD_PORT=tcp://10.0.0.1:8000."""
    if name == PORT_UNDER_HONCHO:
        return bool(value.strip()) and not value.strip().isdecimal()
    return name.endswith("_PORT") and value.strip().startswith(("tcp://", "udp://"))


def _true_port(environ: Mapping[str, str]) -> dict[str, str]:
    values = dict(environ)
    if "HONCHO_PROCESS_NAME" in values and values.get("OFFHOLD_ENV") != "production":
        values.pop("PORT", None)
        if values.get(PORT_UNDER_HONCHO):
            values["PORT"] = values[PORT_UNDER_HONCHO]
    return values


def _misspelt(name: str, known: frozenset[str]) -> bool:
    """Whether a name all but spells a setting: a letter or two, or one begins with the other (OFFHOLD_ENVIRONMENT)."""
    ours = known | {PORT_UNDER_HONCHO}
    if "_" in name and difflib.get_close_matches(name, ours, n=1, cutoff=_ALIKE):
        return True
    long_enough = name.startswith(OUR_PREFIXES) and name not in OUR_PREFIXES
    return long_enough and any(name.startswith(one) or one.startswith(name) for one in known)


def _unknown(name: str, allowed: frozenset[str]) -> str:
    nearest = difflib.get_close_matches(name, sorted(allowed), n=1, cutoff=0.6)
    meant = f"; did you mean {nearest[0]}?" if nearest else ""
    return f"{name}: no such setting{meant}"
