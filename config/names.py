"""Reads the names an operator has set: which count, which are unknown, which come from a file."""

import difflib
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

SECRETS = frozenset(
    {
        "DATABASE_URL",
        "REDIS_URL",
        "TWILIO_AUTH_TOKEN",
        "TWILIO_API_KEY_SECRET",
        "SESSION_SECRET",
        "LINK_SECRET",
        "NUMBER_ENCRYPTION_KEY",
        "NUMBER_HASH_KEY",
    }
)
# `make` and the tests read these themselves; they are no settings of the service.
FOR_MAKE = frozenset({"ARTICLES", "CHROMIUM", "SETS"})
# honcho gives every process another PORT, counted up by 100: `make run` hands the true one over by this.
PORT_UNDER_HONCHO = "OFFHOLD_PORT"
# Names below these are ours, so one that we do not know is a mistake.
OUR_PREFIXES = ("OFFHOLD_", "TWILIO_", "NUMBER_")
_ALIKE = 0.85


def read(environ: Mapping[str, str], dotenv: Path | None, known: frozenset[str]) -> tuple[dict[str, str], list[str]]:
    """The settings that were given, as NAME -> text, and what is wrong with the names and files.

    The environment goes before `dotenv`. Empty values count as not set.
    """
    noted = {} if dotenv is None else {name: value or "" for name, value in dotenv_values(dotenv).items()}
    files = {f"{name}_FILE": name for name in SECRETS}
    allowed = known | FOR_MAKE | files.keys() | {PORT_UNDER_HONCHO}
    problems = [_unknown(name, allowed) for name in noted if name not in allowed]
    meant = [name for name in environ if name not in allowed and _meant_for_us(name, known)]
    problems += [_unknown(name, allowed) for name in meant]
    values = {name: value for name, value in (noted | _true_port(environ)).items() if value.strip()}
    given = {name: value.strip() for name, value in values.items() if name in known}
    for file_name, name in files.items():
        if file_name not in values:
            continue
        if name in given:
            problems.append(f"{name}: set, and {file_name} too; expected one of them")
            continue
        try:
            given[name] = Path(values[file_name].strip()).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{file_name}: cannot be read ({type(error).__name__}); expected a text file's path")
    return given, sorted(problems)


def _true_port(environ: Mapping[str, str]) -> dict[str, str]:
    values = dict(environ)
    if "HONCHO_PROCESS_NAME" in values and values.get("OFFHOLD_ENV") != "production":
        values.pop("PORT", None)
        if values.get(PORT_UNDER_HONCHO):
            values["PORT"] = values[PORT_UNDER_HONCHO]
    return values


def _meant_for_us(name: str, known: frozenset[str]) -> bool:
    if name.startswith(OUR_PREFIXES):
        return True
    return "_" in name and bool(difflib.get_close_matches(name, known, n=1, cutoff=_ALIKE))


def _unknown(name: str, allowed: frozenset[str]) -> str:
    nearest = difflib.get_close_matches(name, sorted(allowed), n=1, cutoff=0.6)
    meant = f"; did you mean {nearest[0]}?" if nearest else ""
    return f"{name}: no such setting{meant}"
