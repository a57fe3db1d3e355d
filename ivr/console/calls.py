"""Calls: find one, and its story turn by turn."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from config.logs import redact
from ivr.console import told
from ivr.console.actors import Actor
from ivr.console.errors import Missing, Sentence, Wrong, sentence
from ivr.texts.numbers import as_e164
from ivr.wiring import Wiring
from models import articles, audit, call_lists, calls, facts, numbers, summaries, texts, transcripts
from models.call_lists import Row, Wanted
from models.facts import FactRow
from models.texts import Text

ON_A_PAGE = 50
FRESH = timedelta(hours=1)  # summaries are made every minute or so; a worker that was away catches up
LOOKED_AT = timedelta(days=90)  # what queues and leaves there were
A_DAY, A_MINUTE = timedelta(days=1), timedelta(minutes=1)
LONGEST_WHY = 300
_HIDDEN = frozenset({"text_id", "message_sid"})


@dataclass(frozen=True, slots=True)
class Page:
    """Calls, newest first. `more`: there are older ones."""

    rows: tuple[Row, ...]
    titles: Mapping[str, str]
    more: bool


@dataclass(frozen=True, slots=True)
class Happened:
    """One fact in words. `id`: its number, which the ledger's entries name; `details`: what else it says, by the
    vocabulary's names."""

    id: int
    name: str
    words: Sentence
    reason: Sentence | None
    details: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """What happened at one instant. `said`: the caller's words, where they may be seen; None: they were erased."""

    after_s: float
    at: datetime
    happened: tuple[Happened, ...]
    said: tuple[str | None, ...]
    plan_version: int | None
    index_version: str | None


@dataclass(frozen=True, slots=True)
class Story:
    """One call. `number`: masked, or whole for who was shown it; None: withheld or erased."""

    call_sid: str
    started_at: datetime
    language: str
    test: bool
    called: str
    number: str | None
    caller_key: str | None
    outcome: Sentence
    summary: Mapping[str, Any] | None
    turns: tuple[Turn, ...]
    texts: tuple[Text, ...]
    titles: Mapping[str, str]
    hidden_words: bool


# ---- finding


def find(conn: Connection, wiring: Wiring, wanted: Wanted) -> Page:
    """A page of calls. On the first one stand those too that are not summarized yet, where nothing is asked that only
    a summary knows."""
    found = call_lists.find(conn, wanted, ON_A_PAGE + 1)
    rows = found[:ON_A_PAGE]
    known_only_later = wanted.article or wanted.outcome or wanted.since or wanted.until
    if wanted.before is None and not known_only_later:
        rows = [*call_lists.fresh(conn, wanted, wiring.clock() - FRESH, ON_A_PAGE), *rows]
    return Page(
        tuple(rows), articles.titles(conn, {row.article for row in rows if row.article}), len(found) > ON_A_PAGE
    )


def person(wiring: Wiring, number: str) -> str:
    """The key of whoever has a number: typed as people write it, hashed, and not kept. Raises Wrong."""
    written = as_e164(number, wiring.settings.allowed_text_countries)
    if written is None:
        raise Wrong({"number": sentence("This is no telephone number. Write it with its country code: +1 202…")})
    return wiring.numbers.key(written)


def keys_of(conn: Connection, key: str) -> list[str]:
    """The keys of a person by one of them: a number typed in a call is theirs too."""
    return numbers.linked(conn, key)


# ---- one call


def story(conn: Connection, wiring: Wiring, call_sid: str, *, words: bool) -> Story:
    """A call turn by turn; `words`: with what the caller said. Raises Missing."""
    call = calls.read(conn, call_sid)
    if call is None:
        raise Missing(f"there is no call {call_sid}")
    rows, summary = facts.of_call(conn, call_sid), summaries.read(conn, call_sid)
    said = transcripts.told(conn, call_sid)
    sent = texts.of_call(conn, call_sid)
    named = {row.data.get("article") for row in rows} | {one.article_id for one in sent}
    return Story(
        call_sid=call_sid,
        started_at=call["started_at"],
        language=call["language"],
        test=call["test"],
        called=call["number"],
        number=masked(_number(conn, wiring, call["caller_key"])),
        caller_key=call["caller_key"],
        outcome=told.outcome(summary["outcome"] if summary else None),
        summary=summary,
        turns=tuple(_turns(rows, [(at, _opened(wiring, sealed)) for at, sealed in said] if words else [])),
        texts=tuple(sent),
        titles=articles.titles(conn, {one for one in named if isinstance(one, str)}),
        hidden_words=bool(said) and not words,
    )


def _number(conn: Connection, wiring: Wiring, key: str | None) -> str | None:
    sealed = numbers.sealed_of(conn, key) if key else None
    return _opened(wiring, sealed) if sealed is not None else None


def _opened(wiring: Wiring, sealed: bytes) -> str | None:
    try:
        return wiring.numbers.open(sealed)
    except ValueError:  # under a key that is gone
        return None


def masked(number: str | None) -> str | None:
    """A number of which the last two digits are left: +1••••••••43."""
    return number and "".join(
        "•" if letter.isdigit() and 1 < place < len(number) - 2 else letter for place, letter in enumerate(number)
    )


def _turns(rows: Iterable[FactRow], said: list[tuple[datetime, str | None]]) -> Iterable[Turn]:
    grouped: dict[datetime, list[FactRow]] = {}
    for row in rows:
        grouped.setdefault(row.at, []).append(row)
    for at, _ in said:
        grouped.setdefault(at, [])
    first = min(grouped, default=None)
    for at, together in sorted(grouped.items()):
        assert first is not None
        yield Turn(
            (at - first).total_seconds(),
            at,
            tuple(_happened(row) for row in together),
            tuple(words for when, words in said if when == at),
            next((row.plan_version for row in together if row.plan_version), None),
            next((row.index_version for row in together if row.index_version), None),
        )


def _happened(row: FactRow) -> Happened:
    why = row.data.get("reason")
    details = tuple(
        (name, _short(value))
        for name, value in row.data.items()
        if name not in _HIDDEN and value not in (None, "", []) and not (name == "reason" and isinstance(why, str))
    )
    reason = told.reason(row.name, why) if isinstance(why, str) else None
    return Happened(row.id, row.name, told.fact(row.name), reason, details)


def _short(value: Any) -> str:
    if isinstance(value, list):
        return " › ".join(str(one) for one in value)
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def unmask(conn: Connection, wiring: Wiring, by: Actor, call_sid: str, why: str) -> Story:
    """The story with the caller's whole number; that it was shown stands in the audit log. Raises Missing, Wrong."""
    found = story(conn, wiring, call_sid, words=True)
    if not why or len(why) > LONGEST_WHY:
        raise Wrong(
            {"why": sentence("Say why, in at most %(most)s letters: it stands in the audit log.", most=LONGEST_WHY)}
        )
    number = _number(conn, wiring, found.caller_key)
    if number is None:
        raise Wrong({"": sentence("There is no number any more: it was withheld, or it was erased.")})
    with conn.transaction():
        audit.note(conn, who=by.key, what="number.show", on=f"call {call_sid}", why=redact(why), at=wiring.clock())
    return replace(found, number=number)
