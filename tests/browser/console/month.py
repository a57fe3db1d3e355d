"""A month that is over: callers of the test phone by stories, others in bulk, as the service would have left them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bench import bulk
from config.settings import load
from ivr import wiring as wirings
from ivr.app import create_app
from ivr.jobs.settle_ledger import zone_of
from ivr.jobs.summarize import rebuild
from ivr.jobs.worker import drain
from ivr.ledger.books import month_of, next_month
from ivr.phone.engine import Carrier
from ivr.phone.server import rest_app, running
from ivr.phone.story import Caller, read
from ivr.phone.story_play import Hooks, play_story
from ivr.phone.transport import FlaskTransport
from ivr.stores import Stores
from ivr.wiring import Wiring
from models import erase
from tests.scenery import LINKS

STORIES = Path(__file__).resolve().parents[2] / "calls"
DAY = timedelta(days=1)
NOON = timedelta(days=8, hours=12)  # of the month's ninth day
RETURNS = timedelta(days=8)  # in which a caller may come back, and a day for the zones


@dataclass(frozen=True)
class Month:
    """`played`: story -> the call it was played in."""

    first: date
    played: dict[str, str]

    @property
    def name(self) -> str:
        """2026-10."""
        return f"{self.first:%Y-%m}"


def filled(data_dir: Path, stories: Iterable[str], bulk_calls: int) -> Month:
    """The last month that can be closed by now, in a DATA_DIR after `release` whose service is not running. Stories
    are played on one clock for the carrier and the service, one every two days, each by a caller of its own.
    """
    given = {"DATA_DIR": str(data_dir), "LINK_BASE_URL": LINKS}
    plain, now = load(given, dotenv=None), datetime.now(UTC)
    carrier = Carrier(plain.twilio_account_sid, plain.twilio_auth_token[0].get_secret_value(), plain.public_base_url)
    with Stores(data_dir, durable=False), running(rest_app(carrier)) as api:
        settings = load({**given, "TWILIO_API_BASE_URL": api}, dotenv=None)
        wiring = wirings.build(settings, lambda: carrier.now, name="month")
        try:
            wiring.load()
            with wiring.pool.connection() as conn, erase.unhurried(conn):
                zone = zone_of(wiring, conn)
                first = month_of(month_of((now - RETURNS).astimezone(zone).date()) - DAY)
                begins, ends = (datetime(*day.timetuple()[:3], tzinfo=zone) for day in (first, next_month(first)))
                days = (ends - begins) / DAY
                bulk.fill(conn, bulk_calls, until=ends, days=days, test=True, seal=wiring.numbers.seal)
            carrier.agenda.now = begins + NOON
            carrier.webhooks.transport = FlaskTransport(create_app(wiring))
            played = {name: _played(wiring, carrier, name, f"+120255501{43 + n}") for n, name in enumerate(stories)}
            carrier.advance((now - carrier.now).total_seconds())
            rebuild(wiring)
        finally:
            wiring.close()
    return Month(first, played)


def _played(wiring: Wiring, carrier: Carrier, name: str, number: str) -> str:
    """The call of a story, which has the test phone to itself."""
    hooks = Hooks(settle=lambda: drain(wiring), rest=lambda _: drain(wiring), expects=lambda *_: [])
    story = replace(read(STORIES / f"{name}.yaml"), caller=Caller(number))
    result = play_story(story, carrier, hooks=hooks)
    assert result.ok, result.problems
    carrier.advance(2 * DAY.total_seconds())
    return result.calls[0].sid
