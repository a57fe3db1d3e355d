"""TwiML executed for one call: a generator that yields sleeps and fetches and is resumed by the carrier."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from ivr.phone import twiml
from ivr.phone.call import Call, HungUp, Interrupt, Key, Moved, Request, Signal, Speech
from ivr.phone.dialling import dial
from ivr.phone.queueing import Left, WaitBroken, enqueue
from ivr.phone.sound import AUDIO_TYPES, audio_seconds, say_seconds
from ivr.phone.transport import Answer
from ivr.phone.twiml import Unusable, Verb

if TYPE_CHECKING:
    from ivr.phone.engine import Carrier

MAIN, WAIT, WHISPER = "main", "wait", "whisper"
_ALLOWED = {MAIN: twiml.MAIN, WAIT: twiml.WAIT, WHISPER: twiml.WHISPER}
_SAY_LIMITS = (("Polly.", 3000), ("Google.", 5000), ("", 4096))
_BUSY_LOOP, _BUSY_LOOP_ENDS = 10, 40
_APOLOGY = "We are sorry. An application error has occurred. Goodbye."
Deaf: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Sleep:
    """Wait `seconds` (None = until something happens), listening for `dtmf` and `speech` or not at all."""

    seconds: float | None
    listens: frozenset[str] = Deaf
    quiet: bool = False


@dataclass(frozen=True)
class Fetch:
    """One request to the service, made while the carrier's lock is open."""

    send: Callable[[], Answer]


Step = Sleep | Fetch
Play = Generator[Step, Any, Signal | None]
Onward = Generator[Step, Any, Request | None]


class Interpreter:
    """Executes documents for one call until it is over."""

    def __init__(self, carrier: "Carrier", call: Call) -> None:
        self.carrier, self.call = carrier, call
        self._documents_in_this_instant = 0

    def warn(self, code: int, text: str) -> None:
        """Record a misuse of the protocol, as Twilio's debugger would."""
        self.carrier.warn(code, text, self.call)

    def live(self, request: Request) -> Generator[Step, Any, None]:
        """The call from its first document to its end."""
        onward: Request | None = request
        try:
            while onward is not None:
                try:
                    onward = yield from self.page(onward, MAIN)
                except Moved as moved:
                    onward = moved.request
        except HungUp:
            pass

    def page(self, request: Request, stage: str) -> Onward:
        """Fetch and execute one document; gives the request that follows, or None when the verbs run out."""
        self._documents_in_this_instant += 1
        if self._documents_in_this_instant == _BUSY_LOOP:
            self.warn(0, f"busy loop: {_BUSY_LOOP} documents without a moment of playing, last {request.url}")
        try:
            if self._documents_in_this_instant <= _BUSY_LOOP_ENDS:
                verbs = yield from self._read(request, stage)
            elif stage == MAIN:
                verbs = self._apology()
            else:
                raise Unusable(11215, "busy loop ended")
        except Unusable as problem:
            if stage != MAIN:
                raise
            request, verbs = yield from self._fallback(request, problem)
        return (yield from self._verbs(verbs, request, stage))

    def _read(self, request: Request, stage: str) -> Generator[Step, Any, list[Verb]]:
        if request.twiml is not None:
            return twiml.parse(request.twiml, self.warn)
        answer = yield from self.ask(request)
        if answer.status < 400 and answer.mime in AUDIO_TYPES:
            self.carrier.sounds[request.url] = audio_seconds(answer.body)
            after = [] if stage == WAIT else [Verb("Hangup", {}, "")]
            return [Verb("Play", {}, request.url), *after]
        return twiml.document(answer, self.warn)

    def ask(self, request: Request) -> Generator[Step, Any, Answer]:
        """Send one webhook of this call. Raises Unusable when there is no answer."""
        call, carrier = self.call, self.carrier
        form = call.parameters(request.extra)
        cookies = "; ".join(f"{name}={value}" for name, value in call.cookies.items())
        answer: Answer = yield Fetch(lambda: carrier.webhooks.post(request.method, request.url, form, cookies=cookies))
        call.keep_cookies(answer.headers)
        return answer

    def _fallback(self, request: Request, problem: Unusable) -> Generator[Step, Any, tuple[Request, list[Verb]]]:
        self.warn(problem.code, f"{request.url}: {problem}")
        line = self.call.line
        if line.voice_fallback_url and request.url != line.voice_fallback_url:
            again = Request(
                line.voice_fallback_url,
                line.voice_fallback_method,
                (("ErrorCode", str(problem.code)), ("ErrorUrl", request.url)),
            )
            try:
                return again, (yield from self._read(again, MAIN))
            except Unusable as worse:
                self.warn(worse.code, f"{again.url}: {worse}")
        return request, self._apology()

    def _apology(self) -> list[Verb]:
        self.call.note(self.carrier.now, "event", "application error")
        return [Verb("Say", {}, _APOLOGY), Verb("Hangup", {}, "")]

    def _verbs(self, verbs: list[Verb], page: Request, stage: str) -> Onward:
        for place, verb in enumerate(verbs):
            if verb.name not in _ALLOWED[stage]:
                self.warn(12200, f"<{verb.name}> is not allowed here ({stage} document)")
                if stage == WAIT:
                    raise WaitBroken(f"<{verb.name}> in a waitUrl document")
                continue
            self._pick_up(verb, place)
            if verb.name in ("Redirect", "Hangup", "Reject", "Leave"):
                onward = self._leads(verb, page)
            else:
                onward = yield from getattr(self, "_" + verb.name.lower())(verb, page)
            if onward is not None:
                return onward
        if stage == MAIN:
            self._pick_up(Verb("Hangup", {}, ""), 0)
        return None

    def _pick_up(self, verb: Verb, place: int) -> None:
        """Answer the ringing call, unless its very first verb is a Pause or a Reject."""
        if self.call.status == "ringing" and not (place == 0 and verb.name in ("Pause", "Reject")):
            self.call.status = "in-progress"

    # ---- verbs that are heard

    def hear(self, kind: str, text: str, seconds: float, listens: frozenset[str] = Deaf, **more: str) -> Play:
        """Play something of a length; gives the key or sentence that stopped it, or None at its end."""
        line = self.call.note(self.carrier.now, kind, text, seconds=seconds, **more)
        began = self.carrier.now
        try:
            signal: Signal | None = yield from self.sleep(seconds, listens)
        except Interrupt:
            line.cut_at = (self.carrier.now - began).total_seconds()
            raise
        if signal is not None:
            line.cut_at = (self.carrier.now - began).total_seconds()
        return signal

    def sleep(self, seconds: float | None, listens: frozenset[str] = Deaf, *, quiet: bool = False) -> Play:
        """Let time pass."""
        signal: Signal | None = yield Sleep(seconds, listens, quiet)
        if seconds is None or seconds > 0:
            self._documents_in_this_instant = 0
        return signal

    def _times(self, verb: Verb) -> range:
        return range(min(verb.number("loop", 1) or 1000, 1000))

    def sound(self, verb: Verb, page: Request, listens: frozenset[str] = Deaf) -> Play:
        """Say, Play or Pause, all its loops."""
        if verb.name == "Pause":
            return (yield from self.hear("pause", "", verb.number("length", 1) or 1, listens))
        for _ in self._times(verb):
            signal = yield from (self._speak if verb.name == "Say" else self._play_once)(verb, page, listens)
            if signal is not None:
                return signal
        return None

    def _speak(self, verb: Verb, page: Request, listens: frozenset[str]) -> Play:
        voice = verb.get("voice", "man")
        limit = next(limit for prefix, limit in _SAY_LIMITS if voice.startswith(prefix))
        text = " ".join(verb.text.split())
        if not text or len(verb.text) > limit:
            self.warn(13520 if not text else 13521, f"<Say> of {len(verb.text)} letters; dropped")
            return None
        return (
            yield from self.hear(
                "say", text, say_seconds(text), listens, language=verb.get("language", "en-US"), voice=voice
            )
        )

    def _play_once(self, verb: Verb, page: Request, listens: frozenset[str]) -> Play:
        if digits := verb.get("digits"):
            return (yield from self.hear("play", f"tones {digits}", 0.25 * len(digits), listens))
        url = urljoin(page.url, verb.text)
        seconds = yield from self._length(url)
        if seconds is None:
            return None
        return (yield from self.hear("play", url, seconds, listens))

    def _length(self, url: str) -> Generator[Step, Any, float | None]:
        """Seconds of a recording, fetched once; None (and a warning) when it cannot be played."""
        if url in self.carrier.sounds:
            return self.carrier.sounds[url]
        try:
            answer: Answer = yield Fetch(lambda: self.carrier.webhooks.media(url))
        except Unusable as problem:
            self.warn(problem.code, f"<Play> {url}: {problem}")
            return None
        if answer.status >= 400 or answer.mime not in AUDIO_TYPES:
            self.warn(11200 if answer.status >= 400 else 12300, f"<Play> {url}: {answer.status} {answer.mime}")
            return None
        self.carrier.sounds[url] = seconds = audio_seconds(answer.body)
        return seconds

    def _say(self, verb: Verb, page: Request) -> Onward:
        yield from self.sound(verb, page)
        return None

    _play = _pause = _say

    # ---- verbs that lead on

    def _leads(self, verb: Verb, page: Request) -> Request | None:
        """Redirect, Hangup, Reject and Leave: they end the document at once."""
        if verb.name == "Redirect":
            return Request(urljoin(page.url, verb.text), verb.get("method", "POST"))
        if verb.name == "Leave":
            if self.call.member is not None:
                raise Left
            self.warn(12200, "<Leave> outside a queue does nothing")
            return None
        refused = "busy" if verb.get("reason") == "busy" else "no-answer"
        ringing = verb.name == "Reject" and self.call.status == "ringing"
        self.carrier.close(self.call, refused if ringing else "completed")
        raise HungUp

    def _enqueue(self, verb: Verb, page: Request) -> Onward:
        return (yield from enqueue(self, verb, page))

    def _dial(self, verb: Verb, page: Request) -> Onward:
        return (yield from dial(self, verb, page))

    # ---- Gather

    def _gather(self, verb: Verb, page: Request) -> Onward:
        listens = frozenset(verb.get("input", "dtmf").split()) & {"dtmf", "speech"}
        if self.call.member is not None and len(listens) > 1:
            self.warn(0, "<Gather input='dtmf speech'> in a waitUrl document is not confirmed by the docs")
        if not verb.get("action"):
            self.warn(0, "<Gather> without action asks for the current document again")
        self.call.addresses["gather"] = urljoin(page.url, verb.get("action"))
        for child in verb.children:
            if child.name == "Play" and child.text:
                yield from self._length(urljoin(page.url, child.text))
        signal: Signal | None = None
        for child in verb.children:
            if (signal := (yield from self.sound(child, page, listens))) is not None:
                break
        result = yield from self._input(verb, listens, signal)
        self.call.gathers_done += 1
        if result is None and verb.get("actionOnEmptyResult") != "true":
            return None
        extra = result or (("Digits", ""), ("FinishedOnKey", ""), ("msg", "Gather End"))
        return Request(
            urljoin(page.url, verb.get("action")),
            verb.get("method", "POST"),
            extra,
            page.twiml if not verb.get("action") else None,
        )

    def _input(
        self,
        verb: Verb,
        listens: frozenset[str],
        first: Signal | None,
    ) -> Generator[Step, Any, tuple[tuple[str, str], ...] | None]:
        finish, limit = verb.get("finishOnKey", "#"), verb.number("numDigits", 0)
        timeout = verb.number("timeout", 5)
        digits, ended_by, signal = "", "", first
        while True:
            if signal is None:
                signal = yield from self.sleep(timeout, listens, quiet=True)
            if signal is None:
                break
            if isinstance(signal, Speech):
                yield from self.sleep(verb.number("speechTimeout", timeout), Deaf)
                return _speech(signal, verb)
            listens &= {"dtmf"}
            key = signal.key if isinstance(signal, Key) else ""
            if key and key == finish:
                ended_by = key
                break
            digits, signal = digits + key, None
            if limit and len(digits) >= limit:
                break
        if not digits:
            return None
        return (("Digits", digits), ("FinishedOnKey", ended_by), ("msg", "Gather End"))


def _speech(signal: Speech, verb: Verb) -> tuple[tuple[str, str], ...]:
    said = (("SpeechResult", signal.words), ("Language", verb.get("language", "en-US")))
    return said if signal.confidence is None else (*said, ("Confidence", f"{signal.confidence:.8f}"))
