"""Contacts from other systems: what is kept, what is parked, and that a saving is taken back by them."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import Connection

from ivr.contact_import import LONGEST_LINE, Feed, Refused, csv_rows, import_contacts, json_rows
from ivr.jobs.settle_ledger import settle_ledger
from ivr.jobs.summarize import summarize_calls
from models import contacts, facts, ledger, numbers, summaries
from models.contacts import Import
from tests.ivr.jobs.conftest import CALLER, OTHER, Desk, desk, starter_plan
from tests.ivr.jobs.test_summarize import add_call, use_text

__all__ = ["desk", "starter_plan"]

BEGAN = datetime(2026, 11, 2, 17, 0, tzinfo=UTC)
DAY = timedelta(days=1)
FEED = Feed("e-mail", "crm.csv", "cli:ann")


def take(conn: Connection, desk: Desk, text: str | bytes) -> Import:
    file = io.BytesIO(text.encode() if isinstance(text, str) else text)
    return import_contacts(desk.wiring, conn, FEED, csv_rows(file), UTC)


def reasons(conn: Connection, done: Import) -> list[tuple[int, str]]:
    return [(one.line, one.reason) for one in contacts.parked(conn, done.id)]


def test_a_file_imported_again_changes_nothing_but_the_age_of_the_feed(db: Connection, desk: Desk) -> None:
    text = f"number,at,topic\n{CALLER},2026-11-03T10:00:00-05:00,bill\n(202) 555-0143,2026-11-04T10:00:00-05:00,\n"
    first = take(db, desk, text)
    assert (first.rows, first.fresh, first.refused) == (2, 2, 0)
    desk.now += DAY
    again = take(db, desk, text)
    assert (again.rows, again.fresh, again.refused) == (2, 0, 0)
    assert [one.at for one in contacts.feeds(db)] == [desk.now]
    assert db.execute("SELECT count(*), count(DISTINCT caller_key) FROM contacts").fetchone() == (2, 1)


def test_wrong_rows_are_parked_with_their_line_and_reason(db: Connection, desk: Desk) -> None:
    rows = [
        "number,at,topic",
        f"{CALLER},2026-11-03T10:00:00Z,fine",
        "12,2026-11-03T10:00:00Z,",
        f"{CALLER},yesterday,",
        f"{CALLER},2036-11-03T10:00:00Z,",
        ",2026-11-03T10:00:00Z,nobody",
        f"{CALLER},2026-11-03T10:00:00Z,{'x' * 300}",
        f'{CALLER},2026-11-03T10:00:00Z,"open',
        f"{CALLER},2026-11-02,a day alone",
    ]
    done = take(db, desk, "\n".join(rows))
    assert (done.rows, done.fresh, done.refused) == (8, 1, 7)
    assert [line for line, _ in reasons(db, done)] == [3, 4, 5, 6, 7, 8, 9]
    assert [one.id for one in contacts.feeds(db)] == [done.id]
    take(db, desk, "number,at\n12,2026-11-03T10:00:00Z\n")  # of which nothing could be read: the feed is no fresher
    assert [one.id for one in contacts.feeds(db)] == [done.id]
    said = [reason for _, reason in reasons(db, done)]
    assert said[0] == "'number' is no phone number"
    assert said[2] == "'at' is in the future"
    assert "names nobody" in said[3]
    assert said[6].startswith("'at' has no time of day")


class OneLine(io.RawIOBase):
    """Two gigabytes without a line end, made as they are read; remembers the longest piece that was asked for."""

    def __init__(self, size: int, end: bytes) -> None:
        self.left, self.end, self.longest = size, end, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self.longest = max(self.longest, len(buffer))
        count = min(len(buffer), self.left)
        if count:
            buffer[:count] = bytes(count)
            self.left -= count
        elif self.end:
            count = min(len(buffer), len(self.end))
            buffer[:count] = self.end[:count]
            self.end = self.end[count:]
        return count


def test_two_gigabytes_in_one_line_are_parked_without_being_held(db: Connection, desk: Desk) -> None:
    raw = OneLine(2 * 2**30, b'\n{"number": "+12025550143", "at": "2026-11-03T10:00:00Z"}\n')
    done = import_contacts(desk.wiring, db, FEED, json_rows(io.BufferedReader(raw, LONGEST_LINE)), UTC)
    assert (done.rows, done.fresh, done.refused) == (2, 1, 1)
    assert raw.longest <= LONGEST_LINE


@pytest.mark.parametrize("head", ["", "who,when\n", "at,topic\n", "\xff\xfe\n"])
def test_a_file_without_a_usable_header_is_refused_whole(db: Connection, desk: Desk, head: str) -> None:
    with pytest.raises(Refused, match="name columns"):
        take(db, desk, head.encode("latin-1"))


@pytest.mark.parametrize("text", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_an_empty_file_of_json_lines_does_not_make_a_feed_look_fresh(db: Connection, desk: Desk, text: bytes) -> None:
    with pytest.raises(Refused, match="the file is empty"):
        import_contacts(desk.wiring, db, FEED, json_rows(io.BytesIO(text)), UTC)
    assert contacts.feeds(db) == []
    assert take(db, desk, "number,at\n").rows == 0  # which does say that there were none
    assert [one.rows for one in contacts.feeds(db)] == [0]


def test_a_header_that_names_a_column_twice_is_refused_whole(db: Connection, desk: Desk) -> None:
    with pytest.raises(Refused, match="twice: number"):
        take(db, desk, f"at,number,Number\n2026-11-03T10:00:00Z,{CALLER},{OTHER}\n")
    assert contacts.imports(db) == []


def rows_of(*given: dict[str, str]) -> Iterator[tuple[int, dict[str, str]]]:
    yield from enumerate(given, 1)


def test_a_contact_takes_a_saving_back_also_when_the_call_is_heard_of_later(db: Connection, desk: Desk) -> None:
    desk.wiring.development_account = False
    desk.now = BEGAN + 5 * DAY
    key = desk.wiring.numbers.key(CALLER)
    told = {"customer": "c-17", "number": CALLER, "at": (BEGAN - DAY).isoformat()}
    again = {"customer": "c-17", "at": (BEGAN + DAY).isoformat()}
    import_contacts(desk.wiring, db, FEED, rows_of(told, again), UTC)
    add_call(db, "CA1", BEGAN, key=key)
    use_text(db, "CA1", BEGAN)
    summarize_calls(desk.wiring)
    assert db.execute("SELECT next_other_at FROM call_summaries").fetchone() == (BEGAN + DAY,)
    settle_ledger(desk.wiring)
    kinds = [row.kind for row in ledger.of_call(db, "CA1")]
    assert kinds == ["provisional", "reversal"]
    assert ledger.of_call(db, "CA1")[1].contact.startswith("contact ")


def test_two_numbers_of_one_customer_are_one_person_also_when_that_is_told_long_after(
    db: Connection, desk: Desk
) -> None:
    desk.wiring.development_account = False
    here, other = desk.wiring.numbers.key(CALLER), desk.wiring.numbers.key(OTHER)
    add_call(db, "CA1", BEGAN, key=here)
    use_text(db, "CA1", BEGAN)
    add_call(db, "CA2", BEGAN + DAY, key=other)
    facts.add(db, "CA2", "agent_connected", BEGAN + DAY, {"waited_s": 60})
    desk.now = BEGAN + 40 * DAY
    summarize_calls(desk.wiring)
    settle_ledger(desk.wiring)
    assert [row.kind for row in ledger.of_call(db, "CA1")] == ["provisional", "released", "confirmed_inferred"]
    told = [{"customer": "c-17", "number": number, "at": desk.now.isoformat()} for number in (CALLER, OTHER)]
    import_contacts(desk.wiring, db, FEED, rows_of(*told), UTC)
    row = summaries.read(db, "CA1")
    assert row is not None
    assert row["next_agent_at"] == BEGAN + DAY
    settle_ledger(desk.wiring)
    undone = [row for row in ledger.of_call(db, "CA1") if row.kind == "confirmed_inferred"]
    assert [row.quantity for row in undone] == [1, -1]


def test_an_id_that_many_numbers_have_joins_no_more_of_them(db: Connection, desk: Desk) -> None:
    numbers_of = [f"+1202555{n:04d}" for n in range(100, 120)]
    told = [{"customer": "n/a", "number": number, "at": BEGAN.isoformat()} for number in numbers_of]
    import_contacts(desk.wiring, db, FEED, rows_of(*told), UTC)
    last = numbers.linked(db, desk.wiring.numbers.key(numbers_of[-1]))
    assert len(last) == 2
    assert len(numbers.linked(db, desk.wiring.numbers.key(numbers_of[0]))) == numbers.MOST_OF_ONE + 1


def test_contacts_count_for_calls_of_the_test_phone_where_the_books_hold_these(db: Connection, desk: Desk) -> None:
    add_call(db, "CA1", BEGAN, key=desk.wiring.numbers.key(CALLER), test=True)
    use_text(db, "CA1", BEGAN)
    desk.now = BEGAN + 5 * DAY
    summarize_calls(desk.wiring)
    told = {"number": CALLER, "at": (BEGAN + DAY).isoformat()}
    import_contacts(desk.wiring, db, FEED, rows_of(told), UTC)
    summarize_calls(desk.wiring)
    assert db.execute("SELECT next_other_at, outcome FROM call_summaries").fetchone() == (BEGAN + DAY, "reversed")
