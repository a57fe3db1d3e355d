"""Offers that do harm are stopped: an article is withdrawn, or the switch of all offers pulled, once harm is proven."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from psycopg import Connection

from ivr.jobs.settle_ledger import zone_of
from ivr.ledger.guardrails import Alarm, Harm, Tally, alarms
from ivr.ledger.outcomes import WINDOW
from ivr.wiring import Wiring
from models import articles, audit, cohorts, erase, switches
from models.cohorts import Period

log = structlog.get_logger()

EVERY_S = 3600.0
WHO = "guardrail"  # in the audit log and on the switch
USED_BY = timedelta(hours=24)  # until then a text may still be read: nobody left silently before
EVER = datetime(2000, 1, 1, tzinfo=UTC)
WORDS = {
    Harm.AGENT_CONTACTS: "more callers needed an agent than in the holdout",
    Harm.REPEAT_CONTACTS: "more callers came back than in the holdout",
    Harm.SILENT_ABANDONMENT: "more callers hung up without using an article than in the holdout",
    Harm.OPT_OUTS: "more than one in a hundred callers who were texted opted out",
}


def watch_guardrails(wiring: Wiring) -> list[Alarm]:
    """Look for harm and act on what is proven: the alarms. Looks at the experiment of the live menu, since offers were
    last let go on; at nothing while all offers are stopped."""
    with wiring.pool.connection() as conn, erase.unhurried(conn):
        pull = switches.standing(conn).get(switches.ALL)
        if pull is not None and pull.stopped:
            return []
        found = alarms(_tallies(wiring, conn, pull.at if pull else EVER))
        acted = _act(conn, found, wiring.clock())
    for what in acted:
        wiring.announce(what)
    for one in found:
        log.warning("guardrail_alarm", harm=one.harm, article=one.article, worse=one.worse, surely=one.surely)
    return found


def _tallies(wiring: Wiring, conn: Connection, since: datetime) -> list[Tally]:
    try:
        experiment = wiring.plans.live(conn).offers.experiment
    except LookupError:
        return []
    now, zone = wiring.clock(), zone_of(wiring, conn).key
    period = Period(since, now - USED_BY, zone, WINDOW, experiment, wiring.development_account)
    return [Tally(*row) for row in cohorts.tallies(conn, period, now - WINDOW)]


def _act(conn: Connection, found: Sequence[Alarm], now: datetime) -> list[str]:
    """Withdraw the articles concerned, and stop all offers if they are: what to announce."""
    done = []
    for article in dict.fromkeys(one.article for one in found if one.article is not None):
        with conn.transaction():
            if articles.withdraw(conn, [article]):
                _note(conn, "article.withdraw", article, "withdrawn", _why(found, article), now)
                done.append("articles")
    if any(one.article is None for one in found):
        why = _why(found, None)
        with conn.transaction():
            switches.pull(conn, switches.ALL, stopped=True, who=WHO, why=why, at=now)
            _note(conn, "offers.stop", "all queues", "stopped", why, now)
            done.append("switches")
    return list(dict.fromkeys(done))


def _note(conn: Connection, what: str, on: str, field: str, why: str, at: datetime) -> None:
    audit.note(conn, who=WHO, what=what, on=on, before={field: False}, after={field: True}, why=why, at=at)


def _why(found: Sequence[Alarm], article: str | None) -> str:
    return "; ".join(
        f"{WORDS[one.harm]} ({one.worse:.1%}, surely more than {one.surely:.1%})"
        for one in found
        if one.article == article
    )
