"""Prompts to TwiML (twilio.com/docs/voice/twiml). All ids travel in the query; every address is absolute.

No `speechModel` is named: the carrier's default model knows every language a plan may name and falls back to
another provider when one fails, while a model that does not know the plan's language ends the question
unheard. With the default model `speechTimeout` has to be a number.
"""

import json
from collections.abc import Sequence
from typing import Any, Protocol

from twilio.twiml.voice_response import Dial, Gather, VoiceResponse
from twilio.twiml.voice_response import Say as SayVerb

from ivr.call.plan import Plan
from ivr.call.prompts import (
    Ask,
    CallNumber,
    ConnectAgent,
    HangUp,
    Hold,
    LeaveQueue,
    Music,
    Pause,
    Prompt,
    Say,
)
from ivr.carrier import speech

LARGEST = 60_000  # bytes of a document; the carrier refuses more than 64 kB (error 11750)
HINTS = 500
HINT_LETTERS = 100
CHOICE_SILENCE_S = 2  # silence that ends a spoken choice
SENTENCE_SILENCE_S = 3  # silence that ends a sentence: people think while they describe
#: (characters of a <Say>, hints) tried one after the other until the document is small enough
_SIZES = ((speech.LONGEST, HINTS), (300, 60), (60, 0))

EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


class Clips(Protocol):
    """Where the hold music lies, and what people recorded."""

    def paths(self, seconds: int, turn: int = 0) -> Sequence[str]:
        """Paths of clips that play for about `seconds`, in order, at least one."""

    def parts(self, words: str, language: str) -> Sequence[tuple[str, str | None]]:
        """The words in order, each part with the path of its recording, None where the voice says it."""


class Renderer:
    """Renders prompts of one plan. `turn` is the number that action URLs carry."""

    def __init__(self, plan: Plan, base_url: str, turn: int, clips: Clips) -> None:
        self._plan = plan
        self._base_url = base_url
        self._turn = turn
        self._clips = clips
        self._say_letters, self._hints = _SIZES[0]

    def document(self, prompts: Sequence[Prompt]) -> str:
        """The prompts as a document that the carrier takes: small enough, empty for no prompts."""
        rendered = EMPTY
        for self._say_letters, self._hints in _SIZES:
            rendered = self._rendered(prompts)
            if len(rendered.encode()) <= LARGEST:
                break
        return rendered

    def _rendered(self, prompts: Sequence[Prompt]) -> str:
        response = VoiceResponse()
        for prompt in prompts:
            self._add(response, prompt)
        return str(response) if response.verbs else EMPTY

    def _add(self, response: VoiceResponse, prompt: Prompt) -> None:
        match prompt:
            case Say() | Music() | Pause():
                self._play(response, prompt)
            case Ask():
                response.append(self._gather(prompt))
            case Hold():
                self._enqueue(response, prompt)
            case LeaveQueue():
                response.leave()
            case CallNumber(number, timeout_s):
                dial = Dial(timeout=timeout_s, action=self._url("overflow", turn=True))
                dial.number(number)
                response.append(dial)
            case ConnectAgent(queue, timeout_s):
                dial = Dial(timeout=timeout_s, action=self._url("agent-done"))
                dial.queue(queue, url=self._url("connecting"))
                response.append(dial)
            case HangUp():
                response.hangup()

    def _play(self, parent: VoiceResponse | Gather, prompt: Say | Music | Pause) -> None:
        match prompt:
            case Say(words, language):
                for said, path in self._clips.parts(words, language):
                    if path is None:
                        self._say(parent, said, language)
                    else:
                        parent.play(self._base_url + path)
            case Music(seconds):
                for path in self._clips.paths(seconds, self._turn):
                    parent.play(self._base_url + path)
            case Pause(seconds):
                parent.pause(length=max(1, seconds))

    def _say(self, parent: VoiceResponse | Gather, words: str, language: str) -> None:
        said = speech.speakable(words, self._say_letters)
        if not said:
            return
        spoken = self._plan.language(language)
        verb = SayVerb(voice=spoken.voice or None, language=spoken.locale)
        if spoken.rate_percent == 100:
            verb.append(said)
        else:
            verb.prosody(said, rate=f"{spoken.rate_percent}%")
        parent.append(verb)

    def _gather(self, ask: Ask) -> Gather:
        options: dict[str, Any] = {
            "input": "dtmf speech" if ask.speech else "dtmf",
            "action": self._url(ask.action, turn=True),
            "timeout": max(1, ask.timeout_s),
            "num_digits": ask.keys,
            "finish_on_key": ask.finish_key,
            "action_on_empty_result": ask.hear_silence,
        }
        if ask.speech:
            options["language"] = self._plan.language(ask.language).locale
            options["speech_timeout"] = CHOICE_SILENCE_S if ask.hints else SENTENCE_SILENCE_S
            options["hints"] = _hints(ask.hints, self._hints) or None
        gather = Gather(**options)
        for prompt in ask.prompts:
            self._play(gather, prompt)
        return gather

    def _enqueue(self, response: VoiceResponse, hold: Hold) -> None:
        wait = {"wait_url": self._url("hold"), "action": self._url("queue-result", turn=True)}
        if hold.workflow_sid is None:
            response.enqueue(hold.queue, max_queue_size=hold.max_size, **wait)
        else:
            task = speech.clean(json.dumps(hold.task, ensure_ascii=True))
            response.enqueue(None, workflow_sid=hold.workflow_sid, **wait).task(task)

    def _url(self, name: str, *, turn: bool = False) -> str:
        return f"{self._base_url}/voice/{name}" + (f"?turn={self._turn}" if turn else "")


def _hints(hints: Sequence[str], most: int) -> str:
    # A comma separates two hints, so none may hold one.
    spoken = (speech.cut(speech.clean(hint.replace(",", " ")), HINT_LETTERS) for hint in hints)
    return ",".join(list(dict.fromkeys(hint for hint in spoken if hint))[:most])


def render(prompts: Sequence[Prompt], *, plan: Plan, base_url: str, turn: int, audio: Clips) -> str:
    """The prompts as a TwiML document, whatever Unicode is in them. No prompts: an empty response."""
    return Renderer(plan, base_url, turn, audio).document(prompts)
