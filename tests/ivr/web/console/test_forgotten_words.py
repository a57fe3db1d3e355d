"""Words that were forgotten while a mapping or a rehearsal was under way are in none of them afterwards."""

import threading
from collections.abc import Callable

import pytest
from psycopg import Connection

from ivr import studies_cli
from ivr.console import callers, mapping, rehearsal
from ivr.jobs import study as studying
from ivr.jobs.erase_old import erase_old
from ivr.studies_cli import work_off
from ivr.wiring import Wiring
from models import erase, studies
from models.studies import Outcome, Study
from tests.ivr.web.conftest import Clock
from tests.ivr.web.console.test_studying import EDITOR, draft_with, forbid
from tests.ivr.web.console.test_studying import conn as conn
from tests.ivr.web.console.test_studying import wiring as wiring

SECRET = "the red light is on since my divorce"


@pytest.fixture
def key(wiring: Wiring, conn: Connection) -> str:
    """Of one caller at the red light, the only one who said SECRET."""
    row = conn.execute(
        "SELECT c.caller_key, c.call_sid FROM calls c JOIN transcripts t USING (call_sid)"
        " WHERE c.caller_key IS NOT NULL AND c.leaf = 'internet-red-light' AND c.language = 'en'"
        " ORDER BY c.started_at DESC LIMIT 1"
    ).fetchone()
    assert row is not None
    conn.execute("UPDATE transcripts SET sealed = %s WHERE call_sid = %s", (wiring.numbers.seal(SECRET), row[1]))
    return str(row[0])


def asked_for(wiring: Wiring, conn: Connection, kind: str) -> int:
    if kind == studies.MAPPING:
        return mapping.ask(conn, wiring, EDITOR)
    draft_id = draft_with(conn, wiring, forbid("internet-red-light", "router-light-red"))
    return rehearsal.ask(conn, wiring, EDITOR, draft_id, 500)


def kept(wiring: Wiring, conn: Connection, study_id: int) -> str | None:
    study = studies.read(conn, study_id)
    assert study is not None
    assert study.state == "done"
    return wiring.numbers.open(study.words) if study.words else None


def forget(wiring: Wiring, key: str) -> None:
    """As erasing a number does."""
    with wiring.pool.connection() as conn, conn.transaction():
        assert erase.person(conn, key, "erased-1")["transcripts"] == 1
        studies.forget_all_words(conn)


def after_reading(monkeypatch: pytest.MonkeyPatch, do: Callable[[], None]) -> list[int]:
    """Do something once, when the words were read; how many calls were read, each time."""
    read, times = callers.recorded, []

    def recorded(conn: Connection, wiring: Wiring, most: int) -> list[callers.Caller]:
        found = read(conn, wiring, most)
        times.append(sum(one.words == SECRET for one in found))
        if len(times) == 1:
            do()
        return found

    monkeypatch.setattr(callers, "recorded", recorded)
    return times


@pytest.mark.parametrize("kind", [studies.MAPPING, studies.REHEARSAL])
def test_a_number_erased_while_one_is_done_has_it_begun_anew_without_its_words(
    wiring: Wiring, conn: Connection, key: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = after_reading(monkeypatch, lambda: forget(wiring, key))
    study_id = asked_for(wiring, conn, kind)
    assert work_off(wiring) == 1
    assert times == [1, 0]
    found = kept(wiring, conn, study_id)
    assert found is not None
    assert SECRET not in found


def test_a_number_erased_when_all_but_the_writing_is_done_leaves_no_words(
    wiring: Wiring, conn: Connection, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, outcomes = studies_cli.WORKS[studies.REHEARSAL], []

    def worked(wiring: Wiring, conn: Connection, study: Study) -> Outcome:
        outcomes.append(work(wiring, conn, study))
        if len(outcomes) == 1:
            forget(wiring, key)
        return outcomes[-1]

    monkeypatch.setitem(studies_cli.WORKS, studies.REHEARSAL, worked)
    study_id = asked_for(wiring, conn, studies.REHEARSAL)
    assert work_off(wiring) == 1
    assert SECRET in wiring.numbers.open(outcomes[0].words)
    assert SECRET not in (kept(wiring, conn, study_id) or "")


def test_none_is_begun_or_ended_between_the_forgetting_and_its_commit(
    wiring: Wiring, conn: Connection, key: str
) -> None:
    study_id = asked_for(wiring, conn, studies.REHEARSAL)
    worker = threading.Thread(target=work_off, args=(wiring,))
    with wiring.pool.connection() as other, other.transaction():
        erase.person(other, key, "erased-1")
        studies.forget_all_words(other)
        worker.start()
        worker.join(0.2)
        assert worker.is_alive()
    worker.join(60)
    assert SECRET not in (kept(wiring, conn, study_id) or "")


def test_one_taken_over_by_another_worker_is_not_written_by_the_first(
    wiring: Wiring, conn: Connection, clock: Clock
) -> None:
    study_id = asked_for(wiring, conn, studies.REHEARSAL)
    first = studies.claim(conn, clock(), clock() - studying.SILENT)
    clock.on(200)
    second = studies.claim(conn, clock(), clock() - studying.SILENT)
    assert first is not None
    assert second is not None
    outcome = Outcome(1, "v", {}, wiring.numbers.seal(SECRET), None)
    with pytest.raises(studies.TakenAway):
        studies.progress(conn, first, 1, 2, clock())
    with pytest.raises(studies.TakenAway):
        studies.finish(conn, first, outcome, clock())
    with pytest.raises(studies.TakenAway):
        studies.fail(conn, first, clock())
    studies.finish(conn, second, outcome._replace(words=wiring.numbers.seal("hers")), clock())
    assert kept(wiring, conn, study_id) == "hers"


def test_words_that_grow_too_old_while_one_is_done_are_not_kept(
    wiring: Wiring, conn: Connection, key: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def time_goes_by() -> None:
        clock.on(40 * 86400)
        erase_old(wiring)

    times = after_reading(monkeypatch, time_goes_by)
    study_id = asked_for(wiring, conn, studies.REHEARSAL)
    assert work_off(wiring) == 1
    assert times == [1]
    assert kept(wiring, conn, study_id) is None
