"""Documents that need no store, no turn and no plan: what a caller hears when anything of ours fails."""

import re
from collections.abc import Sequence
from functools import lru_cache

from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import Dial, VoiceResponse

from ivr.call.prompts import CallNumber, ConnectAgent
from ivr.carrier import speech
from ivr.carrier.twiml import EMPTY, Clips

_PLAYING = ("<Play", "<Say", "<Pause", "<Gather", "<Leave")
_NOT_IN_WAIT = ("<Enqueue", "<Dial", "<Hangup")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def safe_hold(base_url: str, audio: Clips) -> str:
    """What the wait loop plays when a turn could not be taken: music and a breath."""
    return _music(tuple(base_url + path for path in audio.paths(20)))


@lru_cache(maxsize=16)
def _music(addresses: tuple[str, ...]) -> str:
    response = VoiceResponse()
    for address in addresses:
        response.play(address)
    response.pause(length=1)
    return str(response)


def fits_wait(document: str) -> bool:
    """Whether the wait loop may have a document.

    One without playing time would be asked for again at network speed, and one that enqueues, dials or hangs up
    throws the caller out of the queue.
    """
    plays = any(verb in document for verb in _PLAYING)
    return plays and not any(verb in document for verb in _NOT_IN_WAIT)


@lru_cache(maxsize=64)
def straight_to_queue(queue: str, *, base_url: str, words: str, locale: str) -> str:
    """A sorry and the queue. The second of silence keeps a queue that turns everybody away from being asked
    at network speed.
    """
    response = VoiceResponse()
    said = speech.speakable(words)
    if said:
        response.say(said, language=locale)
    response.pause(length=1)
    response.enqueue(queue, wait_url=f"{base_url}/voice/hold", action=f"{base_url}/voice/queue-result")
    return str(response)


def leave_queue() -> str:
    """Out of the queue, from its wait loop."""
    response = VoiceResponse()
    response.leave()
    return str(response)


def nobody_answers(says: Sequence[str], *, locale: str, number: str | None) -> str:
    """Why, then another number where there is one, and the end. Nothing comes back to us from that number."""
    response = VoiceResponse()
    for words in says:
        response.say(speech.speakable(words), language=locale)
    if number:
        dial = Dial(timeout=CallNumber(number).timeout_s)
        dial.number(number)
        response.append(dial)
    response.hangup()
    return str(response)


def front_of_queue(queue: str, *, base_url: str) -> str:
    """An agent's own call takes the front caller of a queue."""
    response = VoiceResponse()
    dial = Dial(timeout=ConnectAgent(queue).timeout_s, action=f"{base_url}/voice/agent-done")
    dial.queue(queue, url=f"{base_url}/voice/connecting")
    response.append(dial)
    return str(response)


def hang_up() -> str:
    """The end of a call."""
    response = VoiceResponse()
    response.hangup()
    return str(response)


def static_fallback(queue: str, *, words: str, locale: str) -> str:
    """TwiML to host elsewhere: the queue, with the carrier's own hold music and nothing of ours."""
    response = VoiceResponse()
    response.say(speech.speakable(words), language=locale)
    response.enqueue(queue)
    return str(response)


def reply(body: str | None) -> str:
    """The answer to an inbound text: one message, or none."""
    if not body:
        return EMPTY
    response = MessagingResponse()
    response.message(_FORBIDDEN.sub("", body))
    return str(response)
