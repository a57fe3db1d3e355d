"""Contacts from other systems, by file or API: who reached out to us again by e-mail, chat, in a shop.

A row names the person by number, by the other system's id of the customer, or by both (then they are one person from
now on); and when. Numbers and ids are kept as keyed hashes only. A row that cannot be read is parked with the reason.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, BinaryIO, NamedTuple

from psycopg import Connection

from ivr.texts.numbers import as_e164
from ivr.wiring import Wiring
from models import contacts, erase, numbers, summaries
from models.contacts import Import, NewContact, Parked

LONGEST_LINE = 64 * 1024
BATCH = 2000
LONGEST_CHANNEL = 60  # its name
MOST_PARKED = 1000  # reasons kept of one import; more are only counted
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
SKEW = timedelta(hours=1)  # between the other system's clock and ours
FIELDS = ("number", "customer", "key", "at", "topic")


class Feed(NamedTuple):
    """What is imported: from which channel, out of what, by whom."""

    channel: str
    source: str
    who: str


class Refused(Exception):
    """The file as a whole cannot be imported."""


class Wrong(Exception):
    """A row cannot be read, and why."""


def lines(file: BinaryIO) -> Iterator[tuple[int, str | None]]:
    """The lines of a file with their numbers; None for one that is too long or no UTF-8. Keeps LONGEST_LINE in memory
    at most, whatever the file is."""
    number = 0
    while chunk := file.readline(LONGEST_LINE):
        number += 1
        whole = True
        while len(chunk) == LONGEST_LINE and not chunk.endswith(b"\n"):
            whole, chunk = False, file.readline(LONGEST_LINE)
        try:
            yield number, chunk.decode("utf-8-sig" if number == 1 else "utf-8") if whole else None
        except UnicodeDecodeError:
            yield number, None


def csv_rows(file: BinaryIO) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    """The rows of a CSV file under its header, a line each; None for what cannot be read. Raises Refused without a
    usable header."""
    given = lines(file)
    _, head = next(given, (1, ""))
    names = [one.strip().lower() for one in _cells(head) or ()]
    if twice := [one for one in FIELDS if names.count(one) > 1]:
        raise Refused(f"the first line names a column twice: {', '.join(twice)}")
    if "at" not in names or not {"number", "customer", "key"} & {*names}:
        raise Refused(
            f"the first line has to name columns: at, one of number, customer, key; known: {', '.join(FIELDS)}"
        )
    for number, line in given:
        if line is None or line.strip():
            cells = _cells(line)
            fits = cells is not None and len(cells) <= len(names)
            yield number, dict(zip(names, cells or (), strict=False)) if fits else None


def _cells(line: str | None) -> list[str] | None:
    try:
        return next(csv.reader([line], strict=True), []) if line is not None else None
    except csv.Error:
        return None


def json_rows(file: BinaryIO) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    """The objects of a JSONL file; None for what is none. Raises Refused for a file without a line: nobody can tell
    whether there were no contacts or the export failed."""
    told = False
    for number, line in lines(file):
        if line is None or line.strip():
            told = True
            try:
                found = json.loads(line or "")
            except (ValueError, RecursionError):
                found = None
            yield number, found if isinstance(found, dict) else None
    if not told:
        raise Refused(
            "the file is empty. To say that there were no contacts, import a CSV file of its first line alone"
        )


class Person(NamedTuple):
    """A contact as read. `also`: another key of the same person."""

    contact: NewContact
    also: str | None


class Reader:
    """Reads rows of one site."""

    def __init__(self, wiring: Wiring, zone: tzinfo) -> None:
        self._numbers, self._zone = wiring.numbers, zone
        self._countries = wiring.settings.allowed_text_countries
        self._latest = wiring.clock() + SKEW

    def read(self, row: Mapping[str, Any] | None) -> Person:
        """A row. Raises Wrong."""
        if row is None:
            raise Wrong(f"the line cannot be read: over {LONGEST_LINE // 1024} KiB, not UTF-8, or not in the format")
        values = {name: self._text(row.get(name), name) for name in FIELDS}
        keys = []
        if values["key"]:
            if len(values["key"]) != 64 or values["key"].strip("0123456789abcdef"):
                raise Wrong("'key' is no keyed hash of ours (64 hexadecimal digits)")
            keys.append(values["key"])
        if values["number"]:
            number = as_e164(values["number"], self._countries)
            if number is None:
                raise Wrong("'number' is no phone number")
            keys.append(self._numbers.key(number))
        if values["customer"]:
            keys.append(self._numbers.customer_key(values["customer"]))
        if not keys:
            raise Wrong("it names nobody: give a number, a customer or a key")
        contact = NewContact(keys[0], self._time(values["at"]), values["topic"])
        return Person(contact, next((key for key in keys[1:] if key != keys[0]), None))

    def _text(self, value: Any, name: str) -> str:
        if value is None:
            return ""
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise Wrong(f"'{name}' is no text")
        text = str(value).strip()
        if len(text) > 200 or not text.isprintable():
            raise Wrong(f"'{name}' is longer than 200 letters, or holds what cannot be printed")
        return text

    def _time(self, text: str) -> datetime:
        try:
            at = datetime.fromisoformat(text)
            at = (at if at.tzinfo else at.replace(tzinfo=self._zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise Wrong("'at' is no time: write 2026-09-30T14:05:00-04:00") from None
        if len(text) <= 10:  # a day alone: nobody can tell whether it was before the call or after it
            raise Wrong("'at' has no time of day: write 2026-09-30T14:05:00-04:00")
        if not EARLIEST <= at <= self._latest:
            raise Wrong("'at' is in the future" if at > self._latest else "'at' is before 2000")
        return at


def import_contacts(
    wiring: Wiring,
    conn: Connection,
    feed: Feed,
    rows: Iterable[tuple[int, Mapping[str, Any] | None]],
    zone: tzinfo,
) -> Import:
    """Keep contacts, a page in each transaction, and have the calls before them looked at again. Once more: nothing
    changes. Raises Refused before anything was written."""
    reader, now = Reader(wiring, zone), wiring.clock()
    given = iter(rows)
    first = next(given, None)  # a header that cannot be used refuses the file here
    with erase.unhurried(conn):
        number = contacts.begin(conn, feed.channel, feed.source, feed.who, now)
        done = Import(number, feed.channel, feed.source, feed.who, now, 0, 0, 0, None)
        page: list[Person] = []
        parked: list[Parked] = []
        for line, row in () if first is None else _chain(first, given):
            done = done._replace(rows=done.rows + 1)
            try:
                person = reader.read(row)
            except Wrong as wrong:
                done = done._replace(refused=done.refused + 1)
                if done.refused <= MOST_PARKED:
                    parked.append(Parked(number, line, str(wrong)))
                continue
            at = person.contact.at
            done = done._replace(newest_at=max(at, done.newest_at or at))
            page.append(person)
            if len(page) == BATCH:
                done = done._replace(fresh=done.fresh + _keep(conn, done, page, now))
                page = []
        fresh = done.fresh + (_keep(conn, done, page, now) if page else 0)
        done = done._replace(fresh=fresh)
        with conn.transaction():
            contacts.park(conn, parked)
            contacts.finish(conn, done)
    return done


def _chain(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest


def _keep(conn: Connection, of: Import, page: list[Person], now: datetime) -> int:
    """Keep a page; how many contacts are new."""
    rows = [person.contact for person in page]
    with conn.transaction():
        joined = {
            person.contact.caller_key
            for person in page
            if person.also is not None and numbers.join(conn, person.contact.caller_key, person.also)
        }
        fresh = contacts.add(conn, of.id, of.channel, rows)
        if fresh or joined:
            summaries.note_contacts(conn, [(row.caller_key, row.at) for row in rows], now)
            since = min(row.at for row in rows) - summaries.LOOK_BACK
            contacts.settle_again(conn, list({row.caller_key for row in rows}), since)
        if joined:  # calls and contacts that were kept before are one person's now
            calls = summaries.of_people(conn, list(joined))
            summaries.relate(conn, calls, now)
            contacts.relate(conn, calls)
            contacts.settle_again(conn, list(joined), EARLIEST)
    return fresh
