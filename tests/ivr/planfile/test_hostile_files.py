"""Whatever the file holds, there is a list of problems and never an exception."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.planfile.problems import Problem
from ivr.planfile.read import read_plan
from ivr.planfile.store import STARTER

LINES = STARTER.read_text("utf-8").splitlines()
QUIET = settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])


def told(raw: bytes, what: str) -> Problem:
    """The error that says `what`, of a file that gives no plan."""
    reading = read_plan(raw)
    assert reading.plan is None
    found = [one for one in reading.errors if what in one.what]
    assert found, [str(one) for one in reading.errors]
    return found[0]


@pytest.mark.parametrize(
    ("raw", "line", "column", "what"),
    [
        (b"", 1, 1, "the file is empty"),
        (b"# nothing\n", 1, 1, "the file is empty"),
        (b"a: 1\n\tb: 2\n", 2, 1, "the YAML cannot be read here"),
        (b"a: [1, 2\n", 2, 1, "the YAML cannot be read here"),
        (b"a: b: c\n", 1, 5, "the YAML cannot be read here"),
        (b"a: 1\nb: \xff\n", 2, 4, "this is not UTF-8 text"),
        (b"a: 1\nb: x\x00\n", 2, 5, "a character that no text file may have"),
        (b"--- {a: 1}\n--- {b: 1}\n", 2, 1, "a second document begins here"),
        (b"[" * 100, 1, 25, "this is nested too deeply"),
        (b"a: " + b"{b: " * 100, 1, 96, "this is nested too deeply"),
        (b"#" * (256 * 1024 + 1), 1, 1, "the file has more than 256 KiB"),
        (b"a: &x 1\n", 1, 4, "anchors (&name) and aliases (*name) are not taken"),
        (b"a: *x\n", 1, 4, "anchors (&name) and aliases (*name) are not taken"),
        (
            b"a: !!python/object/apply:os.system [x]\n",
            1,
            4,
            "the tag tag:yaml.org,2002:python/object/apply:os.system is",
        ),
        (b"- 1\n- 2\n", 1, 1, "the file is no block of keys"),
        (b"just words\n", 1, 1, "the file is no block of keys"),
        (b"? {a: 1}\n: 2\n", 1, 3, "a key in the file is not a word"),
    ],
)
def test_a_file_that_is_no_menu_is_refused_at_its_place(raw: bytes, line: int, column: int, what: str) -> None:
    problem = told(raw, what)
    assert (problem.place.line, problem.place.column) == (line, column)


def test_a_billion_laughs_are_not_laughed() -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"{n}: &b{n} [*a, *a, *a]\n" for n in range(50))
    assert len(read_plan(bomb.encode()).errors) > 50


def test_an_escape_beyond_unicode_is_a_problem() -> None:
    assert told(b'a: "\\UFFFFFFFF"\n', "the YAML cannot be read").place.line == 1


def test_a_message_shows_hostile_values_short_and_on_one_line() -> None:
    problems = read_plan(b'"\\e[2J' + b"x" * 500 + b'": 1\n').problems
    unknown = next(one for one in problems if "unknown" in one.what)
    assert "\x1b" not in str(unknown)
    assert len(str(unknown)) < 400


@QUIET
@given(st.binary(max_size=300))
def test_no_bytes_raise(raw: bytes) -> None:
    assert read_plan(raw).plan is None


@QUIET
@given(st.text(alphabet="ab:-[]{}&*!|>\"'#?, \n\t\\%@0", max_size=80))
def test_no_yaml_raises(text: str) -> None:
    assert read_plan(text.encode()).errors


@settings(QUIET, max_examples=8)
@given(
    st.integers(0, len(LINES) - 1),
    st.integers(1, 40),
    st.sampled_from(["", "  x: [", "  - {}", "    en:", "menu: 3", "  - [a]", ": :", "wording: []", "hours: x"]),
)
def test_no_broken_starter_menu_raises(begin: int, count: int, put: str) -> None:
    text = "\n".join([*LINES[:begin], put, *LINES[begin + count :]])
    reading = read_plan(text.encode())
    assert reading.plan is None or reading.plan.default_queue in reading.plan.queues
