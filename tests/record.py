"""What a story left on record, as lines to compare: facts in the order they were written, texts, queue results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import Connection

#: fact -> the data worth naming beside it
DETAILS = {
    "language_chosen": ("language", "by"),
    "menu_chosen": ("choice", "by"),
    "agent_asked": ("by",),
    "match_found": ("article", "how"),
    "match_refused": ("reason",),
    "held": ("queue",),
    "announced": ("position", "low_min", "high_min"),
    "assigned": ("arm",),
    "offered": ("article", "wording"),
    "offer_cut": ("article",),
    "offer_refused": ("reason",),
    "accepted": ("article", "after"),
    "declined": ("article",),
    "heard": ("article",),
    "number_refused": ("reason",),
    "text_refused": ("reason",),
    "sent": ("kind", "how"),
    "delivered": ("kind",),
    "send_failed": ("kind", "code"),
    "undelivered": ("kind", "code"),
    "clicked": ("how",),
    "link_scanned": ("why",),
    "community_visited": ("to",),
    "said_solved": ("how",),
    "said_not": ("how",),
    "replied": ("kind", "segments"),
    "question_answered": ("article", "reason"),
    "opted_out": ("how",),
    "rejoined": ("leaf",),
    "incident_told": ("where",),
    "agent_ended": ("result",),
    "queue_failed": ("result",),
    "closed": ("why",),
    "overflowed": ("status",),
    "call_ended": ("status",),
}


@dataclass(frozen=True)
class Record:
    """`texts` are our rows ("delivered", "follow_up sent"); `accepted` is how many the carrier took by REST; `results`
    what the queue told us; `stage` where the last call is."""

    facts: tuple[str, ...]
    texts: tuple[str, ...]
    accepted: int
    results: tuple[str, ...]
    stage: str
    data: tuple[tuple[str, Mapping[str, Any]], ...] = ()

    def ends(self) -> dict[str, Any]:
        """As a story says it."""
        return {
            "facts": list(self.facts),
            "texts": list(self.texts),
            "accepted": self.accepted,
            "results": list(self.results),
            "stage": self.stage,
        }


def read_record(conn: Connection, sids: Sequence[str], accepted: int, results: tuple[str, ...]) -> Record:
    """What is on record of these calls and inbound texts."""
    told = conn.execute("SELECT name, data FROM facts WHERE call_sid = ANY(%s) ORDER BY id", (list(sids),)).fetchall()
    rows = conn.execute(
        "SELECT kind, status FROM texts WHERE call_sid = ANY(%s) ORDER BY created_at, kind <> 'link', id", (list(sids),)
    ).fetchall()
    last = conn.execute("SELECT stage FROM calls ORDER BY started_at DESC, call_sid LIMIT 1").fetchone()
    return Record(
        tuple(line(name, data) for name, data in told),
        tuple(status if kind == "link" else f"{kind} {status}" for kind, status in rows),
        accepted,
        results,
        str(last[0]) if last else "",
        tuple((name, data) for name, data in told),
    )


def line(name: str, data: Mapping[str, Any]) -> str:
    """A fact in one line."""
    shown = (data.get(key) for key in DETAILS.get(name, ()))
    return " ".join([name, *(str(value) for value in shown if value is not None)])


def unlike(record: Record, wishes: Mapping[str, Any]) -> list[str]:
    """What of the record is not as wished, one line each."""
    problems: list[str] = []
    have = record.ends()
    for name, wish in wishes.items():
        if name == "facts_contain":
            problems += [f"no fact {fact!r} in {list(record.facts)}" for fact in wish if fact not in record.facts]
        elif name == "facts_lack":
            there = [fact for fact in record.facts for no in wish if f"{fact} ".startswith(f"{no} ")]
            problems += [f"a fact {fact!r}" for fact in there]
        elif name == "fact":
            problems += _fact(record, wish)
        elif name not in have:
            problems.append(f"nothing on record is called {name!r}")
        elif have[name] != wish:
            problems.append(f"{name}:\n    expected {wish}\n    on record {have[name]}")
    return problems


def _fact(record: Record, wish: Mapping[str, Any]) -> list[str]:
    """The latest fact of a name has these values; two numbers in a list are bounds."""
    found = [data for name, data in record.data if name == wish["name"]]
    if not found:
        return [f"no fact {wish['name']!r}"]
    problems = []
    for key, value in wish.items():
        if key == "name":
            continue
        has = found[-1].get(key)
        fits = value[0] <= has <= value[1] if isinstance(value, list) and has is not None else has == value
        problems += [] if fits else [f"{wish['name']}: {key} is {has!r}, expected {value!r}"]
    return problems


def rewrite(path: Path, record: Record, warnings: Sequence[str]) -> None:
    """Put what is on record in the place of the story's `ends`, which come last in the file."""
    head, _, _ = path.read_text("utf-8").partition("\nends:")
    lines = [head.rstrip("\n"), "ends:"]
    for name, value in record.ends().items():
        if isinstance(value, list) and value:
            lines += [f"  {name}:", *(f"    - {one}" for one in value)]
        else:
            lines.append(f"  {name}: {value!r}" if value in ("", []) else f"  {name}: {value}")
    if warnings:
        lines += ["  warnings:", *(f"    - {one}" for one in warnings)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
