"""A short rampage: everything is killed, stopped and cut while calls run, and nothing is lost.

`make test-faults` is the long form, with a disk that is filled.
"""

from pathlib import Path

from tests.faults.rampage import run

SECONDS, AT_ONCE = 35, 10


def test_nothing_is_lost_while_all_parts_are_killed(released: Path, tmp_path: Path) -> None:
    found = run(released, tmp_path, seed=1, seconds=SECONDS, with_disk=False, at_once=AT_ONCE)
    assert found.broken == []
    assert found.kills >= 15
    assert found.calls > AT_ONCE
    assert found.webhooks > 100
