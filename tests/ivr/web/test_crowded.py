"""Too much at once: what callers hear, and that nothing of it is lost."""

from collections.abc import MutableMapping
from typing import Any

import pytest
from flask import Flask

from ivr.landing import Landing
from ivr.places import Left, Places
from ivr.watching import figures
from ivr.wiring import Wiring
from tests.ivr.web.conftest import Carrier, Clock
from tests.ivr.web.test_voice import action, hold, names, verbs


class Crowd(Places):
    """As crowded as it is told to be."""

    level = Left.NOTHING

    def left_out(self) -> Left:
        return self.level

    def quiet(self) -> bool:
        return self.level is Left.NOTHING


@pytest.fixture
def crowd(wiring: Wiring, app: Flask) -> Crowd:
    wiring.places = Crowd(8)
    return wiring.places


def shed() -> dict[str, float]:
    samples = next(family for family in figures.families() if family[0] == "offhold_shed")[3]
    return {labels["what"]: value for _, labels, value in samples}


def test_a_call_of_a_storm_holds_and_is_on_record_afterwards(
    carrier: Carrier, wiring: Wiring, crowd: Crowd, clock: Clock, logged: list[MutableMapping[str, Any]]
) -> None:
    crowd.level = Left.TURNS
    assert verbs(carrier.call("/voice/incoming"))[-1] == "Enqueue"
    clock.on(9)
    assert verbs(carrier.call("/voice/hold", QueueTime="0", QueuePosition="3")) == ["Play", "Pause"]
    clock.on(30)
    assert verbs(carrier.call("/voice/queue-result", QueueResult="hangup", QueueTime="39")) == []
    assert carrier.call("/voice/status", CallStatus="completed", CallDuration="41").status_code == 204
    assert wiring.spool.depth() == 3
    crowd.level = Left.SEARCHES
    assert Landing(wiring).land() == 0
    crowd.level = Left.NOTHING
    assert Landing(wiring).land() == 3
    assert names(wiring) == ["call_started", "held", "hung_up_in_queue", "call_ended"]
    assert [line["event"] for line in logged if line["log_level"] == "error"] == []


def test_the_wait_loop_plays_on_without_a_turn_while_menus_are_walked(
    carrier: Carrier, wiring: Wiring, crowd: Crowd
) -> None:
    before = shed()
    crowd.level = Left.ANNOUNCEMENTS
    hold(carrier)
    assert names(wiring)[-1] == "held"
    assert verbs(carrier.call("/voice/hold", QueueTime="31", QueuePosition="9")) == ["Play", "Pause"]
    assert shed()["announcement"] - before["announcement"] == 1
    assert wiring.spool.depth() == 0


def test_an_offer_comes_with_the_first_round_that_is_less_crowded(
    carrier: Carrier, wiring: Wiring, crowd: Crowd, clock: Clock
) -> None:
    crowd.level = Left.OFFERS
    before = shed()
    answer = carrier.call("/voice/incoming", OffholdArm="treat")
    carrier.call(action(carrier.call(action(answer), Digits="3")), Digits="1")
    clock.on(31)
    carrier.call("/voice/hold", QueueTime="31", QueuePosition="9")
    assert "eligible" not in names(wiring)
    assert shed()["offer"] - before["offer"] == 1
    crowd.level = Left.NOTHING
    clock.on(20)
    carrier.call("/voice/hold", QueueTime="51", QueuePosition="9")
    assert names(wiring)[-2:] == ["eligible", "assigned"]


def test_a_sentence_is_not_searched_for(carrier: Carrier, wiring: Wiring, crowd: Crowd) -> None:
    crowd.level = Left.SEARCHES
    before = shed()
    answer = carrier.call("/voice/incoming")
    answer = carrier.call(action(carrier.call(action(answer), Digits="3")), Digits="2")
    answer = carrier.call(action(answer), SpeechResult="my modem is not online", Confidence="0.9")
    assert verbs(answer)[-1] == "Enqueue"
    assert shed()["search"] - before["search"] == 1
    assert "match_refused" in names(wiring)


def test_a_webhook_nobody_signed_is_refused_however_crowded_it_is(carrier: Carrier, crowd: Crowd) -> None:
    crowd.level = Left.TURNS
    assert carrier.post("/voice/hold", {}, token="another").status_code == 403


def test_a_receipt_of_a_storm_is_kept(carrier: Carrier, wiring: Wiring, crowd: Crowd) -> None:
    crowd.level = Left.TURNS
    receipt = {"MessageSid": "SM" + "5" * 32, "MessageStatus": "delivered"}
    assert carrier.post("/sms/status?text=text-1", receipt).status_code == 204
    assert wiring.spool.depth() == 1
