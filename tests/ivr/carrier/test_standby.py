"""What is played when a turn could not be taken."""

import xml.etree.ElementTree as ET

from ivr.carrier import standby
from ivr.carrier.twiml import EMPTY
from tests.ivr.carrier.conftest import BASE, Clips


def test_the_safe_hold_plays_and_pauses() -> None:
    root = ET.fromstring(standby.safe_hold(BASE, Clips()))
    assert [(verb.tag, verb.text) for verb in root] == [
        ("Play", "https://ivr.example.org/audio/20.wav"),
        ("Pause", None),
    ]


def test_the_wait_loop_never_gets_a_document_without_playing_time() -> None:
    assert not standby.fits_wait(EMPTY)
    assert not standby.fits_wait("<Response><Redirect>x</Redirect></Response>")


def test_the_wait_loop_never_gets_a_verb_that_throws_the_caller_out() -> None:
    assert not standby.fits_wait("<Response><Say>a</Say><Enqueue>q</Enqueue></Response>")
    assert not standby.fits_wait("<Response><Say>a</Say><Dial>1</Dial></Response>")
    assert not standby.fits_wait("<Response><Say>a</Say><Hangup/></Response>")
    spoken = "<Response><Gather><Say>a</Say></Gather><Leave/></Response>"
    assert standby.fits_wait(spoken)


def test_the_way_to_the_queue_takes_time() -> None:
    words = "Sorry. \x00<b>"
    root = ET.fromstring(standby.straight_to_queue("general", base_url=BASE, words=words, locale="en-US"))
    assert [(verb.tag, verb.text) for verb in root] == [
        ("Say", "Sorry. <b>"),
        ("Pause", None),
        ("Enqueue", "general"),
    ]
    assert root[2].attrib == {
        "waitUrl": "https://ivr.example.org/voice/hold",
        "action": "https://ivr.example.org/voice/queue-result",
    }


def test_the_static_fallback_names_nothing_of_ours() -> None:
    document = standby.static_fallback("general", words="Please hold.", locale="en-US")
    assert BASE not in document
    assert [verb.tag for verb in ET.fromstring(document)] == ["Say", "Enqueue"]


def test_a_reply_is_one_message_or_none() -> None:
    root = ET.fromstring(standby.reply("Line 1\nA & B \x0b<x>"))
    assert [(verb.tag, verb.text) for verb in root] == [("Message", "Line 1\nA & B <x>")]
    assert standby.reply(None) == EMPTY
    assert standby.reply("") == EMPTY
