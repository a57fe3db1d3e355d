"""Texts through workers that are killed at every step."""

from collections import Counter
from pathlib import Path

from tests.faults.doomed_worker import POINTS
from tests.faults.send_kills import SENDS_OF_TEST, run


def test_texts_through_dying_workers_none_twice_none_lost(database_url: str, redis_url: str, tmp_path: Path) -> None:
    outcomes = run(database_url, redis_url, tmp_path / "kills", SENDS_OF_TEST)
    assert Counter(one.accepted for one in outcomes) == {1: SENDS_OF_TEST}
    assert {one.fate.point for one in outcomes if one.killed} == set(POINTS)
    assert [one for one in outcomes if one.killed != bool(one.fate.point)] == []
    assert {one.status for one in outcomes} <= {"sent", "delivered"}
    for one in outcomes:
        names = Counter(one.facts)
        assert names["text_queued"] == names["sent"] == 1
        assert names["delivered"] == (one.status == "delivered")
