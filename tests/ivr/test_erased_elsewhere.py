"""Somebody is erased while another machine still holds what that person did: it lands, and brings nobody back."""

from pathlib import Path

from ivr import landing
from ivr.console import privacy
from ivr.console.actors import at_terminal
from ivr.landing import Landing
from ivr.live import Recent
from ivr.spool import Spool
from ivr.wiring import Wiring
from models import erase, optouts
from tests.ivr.test_privacy import settings, twilio
from tests.ivr.web.conftest import CALLED, CALLER, Carrier, Clock, app, carrier, clock, logged, token, wiring
from tests.ivr.web.test_landing import without_database
from tests.ivr.web.test_voice import names

__all__ = ["app", "carrier", "clock", "logged", "settings", "token", "twilio", "wiring"]  # fixtures
RECEIPT = "SM" + "c" * 32


def dump(wiring: Wiring) -> str:
    """All rows that could lead to somebody."""
    tables = ("calls", "texts", "inbound_texts", "numbers", "linked_keys", "facts", "erased_numbers")
    with wiring.pool.connection() as conn:
        return "\n".join(str(row) for table in tables for row in conn.execute(f"SELECT t::text FROM {table} t"))


def test_what_another_machine_kept_of_an_erased_caller_lands_without_the_number(
    carrier: Carrier,
    wiring: Wiring,
    clock: Clock,
    token: str,
) -> None:
    stop = {"MessageSid": "SM" + "9" * 32, "From": CALLER, "To": CALLED, "Body": "please stop texting me"}
    with without_database(wiring):
        carrier.call("/voice/incoming")
        carrier.call("/voice/queue-result", QueueResult="hangup", QueueTime="39")
        carrier.call("/voice/status", CallStatus="completed", CallDuration="41")
        carrier.post("/sms/status?text=text-1", {"MessageSid": RECEIPT, "MessageStatus": "delivered", "To": CALLER})
        carrier.post("/sms/incoming", stop)
    elsewhere, wiring.spool = wiring.spool, Spool(Path("/nowhere"), wiring.numbers.seal, wiring.numbers.open)
    clock.on(600)
    by = at_terminal("tests")
    assert privacy.erase_number(wiring, by, number=CALLER, again=CALLER, why="asked by letter").proven
    wiring.spool = elsewhere
    assert Landing(wiring).land() == 5
    assert names(wiring) == ["call_started", "held", "hung_up_in_queue", "call_ended"]
    key = wiring.numbers.key(CALLER)
    assert key not in dump(wiring)
    assert RECEIPT not in dump(wiring)
    with wiring.pool.connection() as conn:
        assert erase.look_up(conn, key) == dict.fromkeys(erase.LOOK_UPS, 0)
        assert optouts.is_out(conn, key)
    clock.on(1)
    carrier.call("/voice/incoming", CallSid="CA" + "8" * 32)  # who calls again is somebody again
    assert key in dump(wiring)


def test_what_cannot_land_of_an_erased_caller_is_not_put_aside(carrier: Carrier, wiring: Wiring, clock: Clock) -> None:
    carrier.call("/voice/incoming")
    with without_database(wiring):
        carrier.call("/voice/queue-result", QueueResult="hangup", QueueTime="39")
    elsewhere, wiring.spool = wiring.spool, Spool(Path("/nowhere"), wiring.numbers.seal, wiring.numbers.open)
    clock.on(600)
    privacy.erase_number(wiring, at_terminal("tests"), number=CALLER, again=CALLER, why="asked by letter")
    wiring.spool, wiring.recent = elsewhere, Recent()
    lands = Landing(wiring)
    for _ in range(landing.TRIES):
        lands.land()
    assert wiring.spool.depth() == 0
    assert not list((wiring.settings.data_dir / "spool").glob("*" + ".refused"))
    assert wiring.numbers.key(CALLER) not in dump(wiring)
