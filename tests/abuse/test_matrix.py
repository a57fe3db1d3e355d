"""docs/matrix.md names every failure and abuse there is a line for, and only tests that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "matrix.md").read_text("utf-8")
LINES = [f"S{n}" for n in range(1, 36)] + [f"R{n}" for n in range(1, 33) if n != 10]
#: measured by `make bench-load`, which no test can stand for
MEASURED = {"R25"}


def rows() -> dict[str, str]:
    """What stands beside each line's number."""
    found = re.findall(r"^\| ([SR]\d+) \| [^|]+ \| ([^|]+) \| [^|]+ \|$", PAGE.partition("## Abuse")[2], re.MULTILINE)
    assert len({line for line, _ in found}) == len(found)
    return dict(found)


def test_every_line_is_there_with_a_test() -> None:
    assert list(rows()) == LINES
    assert {line for line, tests in rows().items() if tests.strip() == "-"} == MEASURED


def test_every_test_that_is_named_exists() -> None:
    named = [one for tests in rows().values() for one in re.findall(r"`([^`]+)`", tests)]
    assert len(named) > 150
    missing = []
    for one in named:
        file, _, name = one.partition("::")
        path = ROOT / "tests" / file
        if not path.is_file() or (name and not re.search(rf"^def {name}\(", path.read_text("utf-8"), re.MULTILINE)):
            missing.append(one)
    assert missing == []
