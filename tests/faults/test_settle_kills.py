"""Settlements that are killed leave the books as undisturbed ones do."""

from config.settings import Settings
from tests.faults.settle_kills import run


def test_settlements_killed_at_random_points_leave_the_same_books(settings: Settings) -> None:
    found = run(settings, kills=12, calls=400, seed=7)
    assert found.kills >= 8
    assert (found.same, found.lines_agree) == (True, True)
    assert found.entries > 200
