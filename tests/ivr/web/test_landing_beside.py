"""What one machine kept lands while the call went on at another; what cannot land keeps no other."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ivr.landing import KNOWN_WITHIN_S, TRIES, Landing
from ivr.live import Recent
from ivr.spool import Spool
from ivr.wiring import Wiring
from models import optouts
from tests.ivr.web.conftest import AGENT_CALL, CALL, CALLER, Carrier, Clock
from tests.ivr.web.test_landing import without_database
from tests.ivr.web.test_voice import action, names, verbs

STOP = {"MessageSid": "SM" + "7" * 32, "From": CALLER, "To": "+15005550006", "Body": "STOP"}
Offered = Callable[[], str]


@pytest.fixture
def offered(carrier: Carrier, clock: Clock) -> Offered:
    """Bring a caller to the offer; the address of its answer."""

    def brought() -> str:
        answer = carrier.call("/voice/incoming", OffholdArm="treat")
        answer = carrier.call(action(answer), Digits="3")
        carrier.call(action(answer), Digits="1")
        clock.on(31)
        return action(carrier.call("/voice/hold", QueueTime="31", QueuePosition="9"))

    return brought


@contextmanager
def elsewhere(wiring: Wiring) -> Iterator[None]:
    """At a machine that is not cut off, and knows nothing of what the other one keeps."""
    here = wiring.spool, wiring.recent
    wiring.spool, wiring.recent = Spool(Path("/nowhere"), wiring.numbers.seal, wiring.numbers.open), Recent()
    try:
        yield
    finally:
        wiring.spool, wiring.recent = here


def test_a_yes_that_the_wait_loop_overtook_brings_the_text(
    carrier: Carrier, wiring: Wiring, clock: Clock, offered: Offered
) -> None:
    answer = offered()
    clock.on(12)
    with without_database(wiring):
        carrier.call(answer, Digits="1")
    with elsewhere(wiring):
        for at in (63, 93, 123, 153):  # a reminder among them
            clock.on(30)
            carrier.call("/voice/hold", QueueTime=str(at), QueuePosition="9")
    Landing(wiring).land()
    assert names(wiring).count("accepted") == names(wiring).count("text_queued") == 1


def test_a_yes_to_an_offer_of_another_machine_brings_the_text(carrier: Carrier, wiring: Wiring, clock: Clock) -> None:
    answer = carrier.call("/voice/incoming", OffholdArm="treat")
    answer = carrier.call(action(answer), Digits="3")
    carrier.call(action(answer), Digits="1")
    with elsewhere(wiring):
        clock.on(31)
        offer = carrier.call("/voice/hold", QueueTime="31", QueuePosition="9")
    clock.on(12)
    with without_database(wiring):
        carrier.call(action(offer), Digits="1")
    with elsewhere(wiring):
        clock.on(20)
        carrier.call("/voice/status", CallStatus="completed", CallDuration="60")
    Landing(wiring).land()
    assert names(wiring)[-3:] == ["call_ended", "accepted", "text_queued"]


def test_a_key_that_says_nothing_by_now_leaves_the_caller_the_keys(
    carrier: Carrier, wiring: Wiring, clock: Clock, offered: Offered
) -> None:
    answer = offered()
    clock.on(12)
    with without_database(wiring):
        carrier.call(answer, Digits="0")
    with elsewhere(wiring):
        clock.on(100)
        answer = action(carrier.call("/voice/hold", QueueTime="143", QueuePosition="9"))
        clock.on(15)
    told = names(wiring)
    Landing(wiring).land()
    assert names(wiring) == told
    carrier.call(answer, Digits="1")
    assert names(wiring)[-2:] == ["accepted", "text_queued"]


def test_an_agent_who_came_in_that_time_is_on_record_though_the_end_was_told_first(
    carrier: Carrier, wiring: Wiring, clock: Clock, offered: Offered
) -> None:
    offered()
    clock.on(12)
    with without_database(wiring):
        carrier.call("/voice/connecting", QueueTime="43", DequeingCallSid=AGENT_CALL)
    with elsewhere(wiring):
        clock.on(100)
        carrier.call("/voice/status", CallStatus="completed", CallDuration="160")
    for _ in range(2):
        Landing(wiring).land()
    assert names(wiring)[-4:] == ["hung_up_in_queue", "call_ended", "agent_connected", "agent_ended"]


def test_what_happened_in_the_queue_waits_longer_for_the_beginning_of_its_call(
    carrier: Carrier, wiring: Wiring, clock: Clock
) -> None:
    with without_database(wiring):
        carrier.call("/voice/incoming")
    with elsewhere(wiring):
        wiring.spool = Spool(wiring.settings.data_dir / "theirs", wiring.numbers.seal, wiring.numbers.open)
        theirs = wiring.spool
        carrier.call("/voice/connecting", QueueTime="43", DequeingCallSid=AGENT_CALL)
        carrier.call("/voice/status", CallStatus="completed", CallDuration="160")
        clock.on(KNOWN_WITHIN_S - 60)
        assert Landing(wiring).land() == 0
    Landing(wiring).land()  # the machine is no longer cut off
    wiring.spool = theirs
    Landing(wiring).land()
    assert names(wiring) == ["call_started", "held", "agent_connected", "agent_ended", "call_ended"]


def test_a_broken_file_keeps_no_other(carrier: Carrier, wiring: Wiring, clock: Clock) -> None:
    with without_database(wiring):
        carrier.post("/voice/incoming", {"CallSid": "CA" + "2" * 32, "From": CALLER})
        clock.on(1)
        carrier.call("/voice/incoming")
    folder = wiring.settings.data_dir / "spool"
    broken = wiring.spool.waiting()[0]
    (folder / broken).write_bytes(b"")  # as a machine that lost power may leave it
    lands = Landing(wiring)
    for _ in range(TRIES):
        lands.land()
    assert names(wiring) == ["call_started"]
    assert (wiring.spool.depth(), [file.name for file in folder.glob("*.refused")]) == (0, [f"{broken}.refused"])


def test_what_cannot_be_read_just_now_is_not_put_aside(carrier: Carrier, wiring: Wiring) -> None:
    with without_database(wiring):
        carrier.call("/voice/incoming")
    folder = wiring.settings.data_dir / "spool"
    file = folder / wiring.spool.waiting()[0]
    file.rename(folder / "away")
    file.mkdir()
    lands = Landing(wiring)
    for _ in range(TRIES + 1):
        lands.land()
    file.rmdir()
    (folder / "away").rename(file)
    assert Landing(wiring).land() == 1
    assert names(wiring) == ["call_started"]


def test_nothing_is_put_aside_while_the_tables_are_still_being_restored(carrier: Carrier, wiring: Wiring) -> None:
    with wiring.pool.connection() as conn:
        conn.execute("ALTER TABLE calls RENAME TO calls_not_yet")
    try:
        assert verbs(carrier.call("/voice/incoming"))[-1] == "Enqueue"
        lands = Landing(wiring)
        for _ in range(TRIES + 1):
            lands.land()
        assert wiring.spool.holds(CALL)
    finally:
        with wiring.pool.connection() as conn:
            conn.execute("ALTER TABLE calls_not_yet RENAME TO calls")
    Landing(wiring).land()
    assert names(wiring) == ["call_started"]


def test_a_stop_in_the_companys_own_word_is_kept(carrier: Carrier, wiring: Wiring) -> None:
    with without_database(wiring):
        carrier.post("/sms/incoming", STOP | {"Body": "no more sofas", "OptOutType": "STOP"})
    Landing(wiring).land()
    with wiring.pool.connection() as conn:
        assert optouts.is_out(conn, wiring.numbers.key(CALLER))
