"""The haircut, by what the holdout showed."""

from datetime import date, timedelta

from ivr.ledger.baselines import ENOUGH, Handled, HeldOut, Known, baselines, bin_of, haircut

DAY, WEEK = date(2026, 9, 20), timedelta(days=7)


def known(held_out: list[HeldOut], handled: list[Handled] | None = None) -> Known:
    return {(one.queue, one.bin): one for one in baselines(DAY, held_out, handled or [], WEEK)}


def test_a_bin_is_shrunk_to_its_queue_and_a_queue_to_the_site() -> None:
    rows = [
        HeldOut(date(2026, 9, 1), "billing", 0, 100, 30),
        HeldOut(date(2026, 9, 2), "billing", 2, 50, 0),
        HeldOut(date(2026, 9, 2), "sales", 0, 50, 10),
    ]
    site = 40 / 200
    billing = (30 + 50 * site) / 200
    assert haircut(DAY, known(rows), "billing", 10).share == round((30 + 50 * billing) / 150 * 1_000_000)
    assert haircut(DAY, known(rows), "billing", 100).share == round(50 * billing / 100 * 1_000_000)
    assert haircut(DAY, known(rows), "billing", 400).share == round(billing * 1_000_000)
    assert haircut(DAY, known(rows), "mobile", 10).share == 200_000


def test_nothing_can_be_told_before_enough_callers_have_matured() -> None:
    few = [HeldOut(date(2026, 9, 1), "billing", 0, ENOUGH - 1, 9)]
    assert haircut(DAY, known(few), "billing", 10).share is None
    assert haircut(DAY, known([]), "billing", 10).share is None
    # the window and three days for feeds have to have passed: 10 September is the first day too late
    late = [HeldOut(date(2026, 9, 10), "billing", 0, 500, 9)]
    assert haircut(DAY, known(late), "billing", 10).share is None
    assert haircut(DAY, known([late[0]._replace(day=date(2026, 9, 9))]), "billing", 10).share is not None


def test_a_contact_counts_from_the_day_after_its_import_on() -> None:
    rows = [HeldOut(date(2026, 9, 1), "billing", 0, 30, 30), HeldOut(date(2026, 9, 1), "billing", 0, 70, 70, DAY)]
    assert haircut(DAY, known(rows), "billing", 10).share == 1_000_000
    rows[1] = rows[1]._replace(told_on=DAY - timedelta(days=1))
    assert haircut(DAY, known(rows), "mobile", 10).share == 300_000


def test_an_agents_time_is_the_queues_mean_else_the_sites() -> None:
    times = [Handled(date(2026, 9, 1), "billing", 10, 3000), Handled(date(2026, 9, 1), "sales", 10, 1000)]
    assert haircut(DAY, known([], times), "billing", 0).agent_ms == 300_000
    assert haircut(DAY, known([], times), "mobile", 0).agent_ms == 200_000
    assert haircut(DAY, known([]), "mobile", 0).agent_ms is None


def test_bins_begin_at_their_limits() -> None:
    assert [bin_of(s) for s in (0, 29.9, 30, 59, 60, 599, 600)] == [0, 0, 1, 1, 2, 4, 5]
