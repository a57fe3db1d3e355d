"""One call told as a story, from its facts."""

from typing import Any

from psycopg import Connection

from ivr.call.facts import FACTS
from ivr.wiring import Wiring
from models import calls, facts, transcripts


def tell(wiring: Wiring, conn: Connection, call_sid: str) -> list[str] | None:
    """The lines of the story, None for a call nobody knows. Holds no number."""
    call = calls.read(conn, call_sid)
    rows = facts.of_call(conn, call_sid)
    if call is None and not rows:
        return None
    lines = [f"Call {call_sid}"]
    if call is not None:
        kind = " (test phone)" if call["test"] else ""
        lines.append(f"began {call['started_at']:%Y-%m-%d %H:%M:%S} UTC, language {call['language']}{kind}")
    begun = rows[0].at if rows else None
    for row in rows:
        assert begun is not None
        after = (row.at - begun).total_seconds()
        detail = ", ".join(f"{name} {_short(value)}" for name, value in row.data.items() if value not in (None, "", []))
        versions = f"plan {row.plan_version}" if row.plan_version else ""
        if row.index_version:
            versions += f", index {row.index_version}"
        lines.append(f"{after:9.1f} s  {row.name:18} [{row.id}] {detail}" + (f"  [{versions}]" if versions else ""))
        lines.append(f"             {FACTS.get(row.name, 'a fact of an older version').split('; data')[0]}")
    said = [wiring.numbers.open(sealed) for sealed in transcripts.of_call(conn, call_sid)]
    lines += [f'the caller said: "{words}"' for words in said]
    return lines


def _short(value: Any) -> str:
    if isinstance(value, list):
        return " > ".join(str(one) for one in value)
    return str(value)
