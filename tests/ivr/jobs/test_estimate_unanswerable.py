"""How many callers nothing here helps is read off real calls, and believed only where it can be true."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from psycopg import Connection

from config.settings import Settings
from ivr import gate
from ivr.gate import Callers
from ivr.jobs.estimate_unanswerable import estimate_unanswerable
from ivr.wiring import Wiring, build
from models import calls, facts, indexes, site
from search.calibration import Calibrations, as_json, calibrated, shipped

NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
DRAW = np.random.default_rng(3)
HELPED, LOST = DRAW.normal(3.0, 1.0, 2000), DRAW.normal(-3.0, 1.0, 2000)


@pytest.fixture
def wiring(settings: Settings) -> Iterator[Wiring]:
    made = build(settings, lambda: NOON, name="tests", pool_size=2)
    yield made
    made.close()


@pytest.fixture
def published(db: Connection) -> None:
    """A live index with a calibration of its own."""
    own = calibrated(np.concatenate([HELPED, LOST]), np.arange(4000) < 1900, np.arange(4000) < 2000)
    indexes.add(db, indexes.IndexVersion("v1", NOON, 1, "m", "d"))
    indexes.put_chunk(db, "v1", "calibration.json", 0, json.dumps(as_json(own)).encode())
    indexes.publish(db, "v1")


def call(db: Connection, number: int, *found: calls.NewFact, test: bool = False, at: datetime = NOON) -> None:
    row = calls.Turn(
        f"CA{number:032x}", 0, "{}", "", "hold", "en", None, None, None, 0, None, at, False, 1, "v1", list(found)
    )
    assert calls.begin(db, row, number="+15005550006", caller_key=None, test=test)


def searched(logit: float | None, name: str = "match_refused") -> calls.NewFact:
    return calls.NewFact(name, {"logit": logit})


def unlike_calls(db: Connection, helped: int, lost: int) -> None:
    logits = [*HELPED[:helped].tolist(), *LOST[:lost].tolist()]
    for number, logit in enumerate(logits):
        call(db, number, searched(logit, "match_found" if number < helped else "match_refused"))


@pytest.mark.usefixtures("published")
def test_three_callers_in_ten_without_an_answer_are_seen(db: Connection, wiring: Wiring) -> None:
    unlike_calls(db, 210, 90)
    estimate_unanswerable(wiring)
    known = gate.callers(db, NOON)
    assert known.unanswerable == pytest.approx(0.3, abs=0.03)
    assert known.calls == 300
    with pytest.raises(LookupError, match="no plan is published"):  # and is taken up all the same
        wiring.look_for_plan()
    assert wiring.unanswerable == known.unanswerable


@pytest.mark.usefixtures("published")
def test_too_few_old_and_test_calls_tell_nothing(db: Connection, wiring: Wiring) -> None:
    unlike_calls(db, 0, gate.LEAST_CALLS - 1)
    for number in range(1000, 1300):
        call(db, number, searched(-4.0), test=True)
        call(db, number + 1000, searched(-4.0), at=NOON - timedelta(days=29))
        call(db, number + 2000, searched(None), calls.NewFact("announced", {"logit": -4.0}))
    estimate_unanswerable(wiring)
    assert site.get(db, "unanswerable_share") is None
    call(db, 9000, searched(-4.0))
    estimate_unanswerable(wiring)
    assert gate.callers(db, NOON) == Callers(0.95, gate.LEAST_CALLS)


@pytest.mark.usefixtures("published")
def test_searches_with_another_encoder_do_not_count(db: Connection) -> None:
    call(db, 1, searched(2.0))
    db.execute("UPDATE index_versions SET model_id = 'old', state = 'retired'")
    indexes.add(db, indexes.IndexVersion("v2", NOON, 1, "new", "d"))
    indexes.publish(db, "v2")
    assert facts.gate_logits(db, NOON - timedelta(days=1), 10) == []


@pytest.mark.usefixtures("published")
def test_the_newest_calls_come_first(db: Connection) -> None:
    for number in range(5):
        call(db, number, searched(float(number)), at=NOON - timedelta(days=number))
    assert facts.gate_logits(db, NOON - timedelta(days=3), 2) == [("en", 0.0), ("en", 1.0)]


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "NaN",
        "0.2",
        "[" * 5000,
        '{"share": NaN, "calls": 300, "at": "2026-11-23T17:00:00+00:00"}',
        '{"share": 1.0, "calls": 300, "at": "2026-11-23T17:00:00+00:00"}',
        '{"share": -0.2, "calls": 300, "at": "2026-11-23T17:00:00+00:00"}',
        '{"share": 0.2, "calls": 199, "at": "2026-11-23T17:00:00+00:00"}',
        '{"share": 0.2, "calls": Infinity, "at": "2026-11-23T17:00:00+00:00"}',
        '{"share": 0.2, "calls": 300, "at": "2026-10-26T16:59:59+00:00"}',
        '{"share": 0.2, "calls": 300, "at": "2026-11-23T17:00:00"}',
        '{"share": 0.2, "calls": 300}',
    ],
)
def test_what_cannot_be_true_or_is_old_is_one_half(db: Connection, kept: str) -> None:
    site.put(db, "unanswerable_share", kept)
    assert gate.callers(db, NOON) == Callers(0.5, 0)


def test_what_was_written_is_read_until_it_is_old(db: Connection) -> None:
    gate.note_callers(db, Callers(0.234, 812), NOON)
    assert gate.callers(db, NOON + timedelta(days=28)) == Callers(0.23, 812)
    assert gate.callers(db, NOON + timedelta(days=28, seconds=1)) == Callers()


def test_without_a_calibration_of_its_own_an_index_has_the_shipped_one(db: Connection) -> None:
    assert gate.of_index(db) == Calibrations(shipped())
    indexes.add(db, indexes.IndexVersion("v2", NOON, 1, "m", "d"))
    indexes.put_chunk(db, "v2", "calibration.json", 0, b"{}")
    indexes.publish(db, "v2")
    assert gate.of_index(db) == Calibrations(shipped())
