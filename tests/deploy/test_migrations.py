"""Migrations add: the code of the release before still runs while they are applied (docs/going-live.md)."""

import re
from pathlib import Path

import pytest

VERSIONS = Path(__file__).resolve().parents[2] / "models" / "migrations" / "versions"
FROZEN = "0017"  # until then nobody ran two releases at once
#: what code that does not know of it trips over
TAKES_AWAY = re.compile(
    r"\bDROP\s+(?:TABLE|COLUMN|VIEW|TYPE)\b|\bRENAME\b|\bSET\s+NOT\s+NULL\b"
    r"|\bALTER\s+(?:COLUMN\s+)?\w+\s+(?:SET\s+DATA\s+)?TYPE\b"
    r"|\bADD\s+COLUMN\s+(?:(?!\bDEFAULT\b)[^,;)])*\bNOT\s+NULL\b(?:(?!\bDEFAULT\b)[^,;)])*(?=[,;)\"]|$)",
    re.IGNORECASE,
)
#: a release that drops what an earlier one stopped using says since which migration nothing asks for it
CONTRACT = re.compile(r"^# contract: nothing asks for it since (\d{4})$", re.MULTILINE)


def takes_away(number: str, text: str) -> list[str]:
    """What a migration takes from running code; nothing where it says that no code asks for it any more."""
    said = CONTRACT.search(text)
    return [] if said and said[1] < number else TAKES_AWAY.findall(text)


def test_no_migration_takes_away_what_running_code_asks_for() -> None:
    later = [file for file in sorted(VERSIONS.glob("[0-9]*.py")) if file.name[:4] > FROZEN]
    assert {file.name: found for file in later if (found := takes_away(file.name[:4], file.read_text("utf-8")))} == {}


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE offers",
        "ALTER TABLE calls DROP COLUMN leaf",
        "ALTER TABLE calls RENAME leaf TO branch",
        "ALTER TABLE calls ALTER COLUMN leaf SET NOT NULL",
        "ALTER TABLE calls ALTER leaf TYPE integer",
        "ALTER TABLE calls ADD COLUMN mood text NOT NULL",
    ],
)
def test_what_takes_away_is_found(statement: str) -> None:
    assert takes_away("0099", f'op.execute("{statement}")')
    assert not takes_away("0099", f'# contract: nothing asks for it since 0098\nop.execute("{statement}")')
    assert takes_away("0099", f'# contract: nothing asks for it since 0099\nop.execute("{statement}")')


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE moods (id bigint PRIMARY KEY, mood text NOT NULL)",
        "ALTER TABLE calls ADD COLUMN mood text",
        "ALTER TABLE calls ADD COLUMN mood text NOT NULL DEFAULT ''",
        "ALTER TABLE calls ADD COLUMN mood text DEFAULT '' NOT NULL",
        "CREATE INDEX CONCURRENTLY calls_mood ON calls (mood)",
        "ALTER TABLE texts DROP CONSTRAINT texts_kind_check",
    ],
)
def test_what_adds_is_let_through(statement: str) -> None:
    assert not takes_away("0099", f'op.execute("{statement}")')
