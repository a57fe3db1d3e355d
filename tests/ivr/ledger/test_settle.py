"""Whatever was due before, the entries bring what stands to what is due, and nothing is written twice."""

from datetime import UTC, date, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.ledger.books import COSTS, MEMO, SAVINGS, Due, Entry, Figure, Key, Line, Posting, Standing, totals
from ivr.ledger.settle import changes, numbered, open_month

NOW = datetime(2026, 11, 22, tzinfo=UTC)
MONTHS = [date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1)]
small = st.integers(-5_000_000, 5_000_000)
figures = st.builds(Figure, small, small, small, st.integers(-3, 3))
keys = st.builds(Key, st.sampled_from(["CA1", "CA2"]), st.sampled_from(list(Entry)[:8]), st.sampled_from(["", "t1"]))
due = st.builds(
    Due, keys, st.just(NOW), st.sampled_from(MONTHS), st.sampled_from(["billing", "sales"]),
    st.sampled_from(["", "USD", "EUR"]), figures, st.just((1, 2)),
)  # fmt: skip
books_of = st.lists(due, max_size=12, unique_by=lambda one: one.key)


def standing(rows: list[Posting]) -> list[Standing]:
    """What the database's sums by key, queue and currency say."""
    found: dict[tuple[Key, str, str], Standing] = {}
    for row in rows:
        key = Key(row.call_sid, Entry(row.kind), row.item)
        figure = Figure(row.amount, row.contacts, row.agent_ms, row.quantity)
        old = found.get((key, row.queue, row.currency))
        new = Standing(
            key, row.queue, row.currency, max(row.month, old.month) if old else row.month, row.id,
            max(row.seq, old.seq) if old else row.seq, figure.plus(old.figure) if old else figure,
        )  # fmt: skip
        found[key, row.queue, row.currency] = new
    return list(found.values())


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(books_of, st.sampled_from([None, *MONTHS])), min_size=1, max_size=6))
def test_the_sum_of_the_entries_is_what_is_due_always(steps: list[tuple[list[Due], date | None]]) -> None:
    rows: list[Posting] = []
    closed: date | None = None
    frozen: dict[date, list[Posting]] = {}
    for wanted, close in steps:
        for _ in range(2):  # once more: nothing
            stands = standing(rows)
            found = changes(wanted, stands, open_month(closed), NOW)
            new = numbered(found, range(len(rows) + 1, len(rows) + 1 + len(found)), stands, NOW)
            rows += new
        assert new == []
        sums = {(one.key, one.queue, one.currency): one.figure for one in standing(rows)}
        due_sums = {(one.key, one.queue, one.currency): one.figure for one in wanted}
        assert {at: figure for at, figure in sums.items() if figure != Figure()} == {
            at: figure for at, figure in due_sums.items() if figure != Figure()
        }
        for month, kept in frozen.items():
            assert [row for row in rows if row.month == month] == kept
        if close is not None and (closed is None or close > closed):
            closed = close
            frozen |= {month: [row for row in rows if row.month == month] for month in MONTHS if month <= close}
    places = [(row.call_sid, row.kind, row.item, row.seq) for row in rows]
    assert len(places) == len(set(places))
    known = {row.id for row in rows}
    assert all(row.undoes in known for row in rows if row.undoes is not None)


@given(st.lists(st.tuples(st.sampled_from(list(Entry)), st.sampled_from(["USD", "EUR"]), figures), max_size=30))
def test_the_statements_totals_are_the_sum_of_the_entries(given_rows: list[tuple[Entry, str, Figure]]) -> None:
    lines = [Line(MONTHS[0], kind, "billing", currency, 1, figure) for kind, currency, figure in given_rows]
    found = totals(lines)
    for currency, total in found.items():
        mine = [(kind, figure) for kind, at, figure in given_rows if at == currency]
        assert total.net == sum(figure.amount for kind, figure in mine if kind not in MEMO)
        assert total.pending.amount == sum(figure.amount for kind, figure in mine if kind in MEMO)


def test_every_kind_is_a_memo_a_saving_or_a_cost() -> None:
    assert sorted(MEMO | SAVINGS | COSTS) == sorted(Entry)
    assert len(MEMO) + len(SAVINGS) + len(COSTS) == len(Entry)


def test_an_entry_of_a_closed_month_goes_into_the_first_open_one() -> None:
    of = open_month(date(2026, 12, 1))
    assert (of(date(2026, 3, 1)), of(date(2026, 12, 1))) == (date(2027, 1, 1), date(2027, 1, 1))
    assert of(date(2027, 2, 1)) == date(2027, 2, 1)
