"""The way of callers who could be offered an article: how many came how far, treated beside held out."""

from datetime import datetime, timedelta
from typing import NamedTuple

from psycopg import Connection

#: what a funnel may be split by -> its expression
SPLITS = {
    "queue": "coalesce(queue, '')",
    "leaf": "coalesce(leaf, '')",
    "article": "coalesce(article, '')",
    "week": "to_char(date_trunc('week', started_at AT TIME ZONE %(zone)s), 'YYYY-MM-DD')",
}


class Step(NamedTuple):
    """Calls of one part and arm. `back_` counts whoever reached us again within that time, by whatever channel."""

    part: str
    arm: str
    eligible: int
    assigned: int
    offered: int
    accepted: int
    sent: int
    delivered: int
    opened: int
    hung_up: int
    solved: int
    back_24h: int
    back_72h: int
    back_7d: int


def steps(
    conn: Connection, since: datetime, until: datetime, *, by: str, zone: str, test: bool, limit: int = 100
) -> list[Step]:
    """The funnel of a time (half open), each part and arm a row; the parts with most calls first. `by`: of SPLITS."""
    back = [
        f"count(*) FILTER (WHERE next_contact_at < coalesce(ended_at, started_at) + %(after_{n})s)" for n in range(3)
    ]
    rows = conn.execute(
        f"""WITH steps AS (SELECT {SPLITS[by]} AS part, coalesce(arm, '') AS arm, count(*) AS eligible,
            count(*) FILTER (WHERE arm IS NOT NULL), count(*) FILTER (WHERE offered_at IS NOT NULL),
            count(*) FILTER (WHERE accepted_at IS NOT NULL), count(*) FILTER (WHERE sent > 0),
            count(*) FILTER (WHERE delivered > 0), count(*) FILTER (WHERE opened_at IS NOT NULL),
            count(*) FILTER (WHERE hung_up_at IS NOT NULL), count(*) FILTER (WHERE solved_at IS NOT NULL),
            {", ".join(back)}
            FROM call_summaries WHERE eligible_at IS NOT NULL AND NOT forced AND test = %(test)s
                AND started_at >= %(since)s AND started_at < %(until)s GROUP BY 1, 2)
        SELECT * FROM steps ORDER BY {"part" if by == "week" else "sum(eligible) OVER (PARTITION BY part) DESC, part"},
            arm DESC LIMIT %(limit)s""",
        {
            "since": since,
            "until": until,
            "zone": zone,
            "test": test,
            "limit": limit,
            **{f"after_{n}": timedelta(hours=hours) for n, hours in enumerate((24, 72, 168))},
        },
    )
    return [Step(*row) for row in rows]
