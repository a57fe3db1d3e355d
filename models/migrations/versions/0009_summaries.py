"""One row a call of what became of it, kept up from the facts; and how many of them there were a day."""

from collections.abc import Mapping
from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"

SQL = Path(__file__).resolve().parent.parent / "sql"
DAY = "(s.started_at AT TIME ZONE 'UTC')::date"
BACK = "coalesce(s.next_contact_at < coalesce(s.ended_at, s.started_at) + interval '7 days', false)"
#: table -> what the rows come from, its keys, its counts; models/counts.py says what they mean
PLACES = (
    "",
    {
        "day": DAY,
        "queue": "coalesce(s.queue, '')",
        "leaf": "coalesce(s.leaf, '')",
        "path": "s.path",
        "refusal": "coalesce(s.refusal, '')",
    },
    {
        "calls": "true",
        "held": "s.held_at IS NOT NULL",
        "eligible": "s.eligible_at IS NOT NULL",
        "offers": "s.offered_at IS NOT NULL",
        "taken": "s.accepted_at IS NOT NULL",
        "texts": "s.texts > 0",
        "opened": "s.opened_at IS NOT NULL",
        "solved": "s.solved_at IS NOT NULL",
        "not_solved": "s.not_at IS NOT NULL",
        "back": BACK,
        "hung_up": "s.hung_up_at IS NOT NULL",
        "agents": "s.agent_at IS NOT NULL",
    },
)
ARTICLES = (
    ", jsonb_to_recordset(s.offers) AS o (article text, offered bool, taken bool, heard bool, opened bool, solved bool,"
    " not_solved bool)",
    {"day": DAY, "article": "o.article"},
    {
        "offered": "o.offered",
        "taken": "o.taken",
        "heard": "o.heard",
        "opened": "o.opened",
        "solved": "o.solved",
        "not_solved": "o.not_solved",
        "back": f"o.offered AND {BACK}",
    },
)


def upgrade() -> None:
    cursor = op.get_bind().connection.cursor()
    cursor.execute((SQL / "summaries.sql").read_text("utf-8"))
    for event, parts in (("INSERT", {"fresh": ""}), ("DELETE", {"gone": "-"}), ("UPDATE", {"gone": "-", "fresh": ""})):
        tables = " ".join(f"{'NEW' if name == 'fresh' else 'OLD'} TABLE AS {name}" for name in parts)
        body = f"{_add('place_days', *PLACES, parts)};\n{_add('article_days', *ARTICLES, parts)};"
        name = f"count_calls_on_{event.lower()}"
        cursor.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$;"
            f"CREATE TRIGGER {name} AFTER {event} ON call_summaries REFERENCING {tables}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )
    cursor.close()


def _add(table: str, source: str, keys: Mapping[str, str], counts: Mapping[str, str], parts: Mapping[str, str]) -> str:
    """What the rows of a statement change in a table of counts: less those that are gone, more those that are fresh."""
    columns = ", ".join((*keys, *counts))
    numbers = ", ".join(str(n) for n in range(1, len(keys) + 1))
    given = " UNION ALL ".join(
        f"SELECT {', '.join(f'{value} AS {name}' for name, value in keys.items())},"
        f" {', '.join(f'{sign}count(*) FILTER (WHERE {when}) AS {name}' for name, when in counts.items())}"
        f" FROM {rows} s{source} WHERE NOT s.test GROUP BY {numbers}"
        for rows, sign in parts.items()
    )
    sums = ", ".join(f"sum({name})" for name in counts)
    changed = " OR ".join(f"sum({name}) <> 0" for name in counts)
    return (
        f"INSERT INTO {table} AS kept ({columns}) SELECT {', '.join(keys)}, {sums} FROM ({given}) AS given"
        f" GROUP BY {numbers} HAVING {changed} ON CONFLICT ({', '.join(keys)}) DO UPDATE SET"
        f" {', '.join(f'{name} = kept.{name} + excluded.{name}' for name in counts)}"
    )
