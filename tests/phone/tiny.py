"""A tiny service for the interpreter's tests: a table of documents, and the requests that came."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

from ivr.phone.engine import Carrier
from ivr.phone.transport import Answer

BASE = "https://service.example"
ACCOUNT, TOKEN = "AC" + "0" * 32, "12345"
START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
CALLER = "+12025550143"
Reply = str | Answer | Callable[[dict[str, str]], str | Answer]


def wav(seconds: float) -> bytes:
    """An 8 kHz u-law WAV of a length: header and silence."""
    size = round(seconds * 8000)
    head = b"RIFF" + (36 + size).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    form = b"\x07\x00\x01\x00" + (8000).to_bytes(4, "little") * 2 + b"\x01\x00\x08\x00"
    return head + form + b"data" + size.to_bytes(4, "little") + b"\xff" * size


def xml(body: str, *, status: int = 200, mime: str = "text/xml") -> Answer:
    """A TwiML answer."""
    return Answer(status, {"content-type": mime} if mime else {}, body.encode())


@dataclass
class Asked:
    """One request that came."""

    method: str
    path: str
    form: dict[str, str]
    headers: Mapping[str, str]
    url: str
    pairs: Sequence[tuple[str, str]]


@dataclass
class Tiny:
    """Answers by path; the part inside `<Response>` is enough. Callbacks get 204."""

    pages: dict[str, Reply]
    asked: list[Asked] = field(default_factory=list)

    def __call__(self, method: str, url: str, form: Sequence[tuple[str, str]], headers: Mapping[str, str]) -> Answer:
        parts = urlsplit(url)
        fields = dict(form) | dict(parse_qsl(parts.query, keep_blank_values=True))
        self.asked.append(Asked(method, parts.path, fields, headers, url, form))
        reply = self.pages.get(parts.path, Answer(204, {}, b""))
        if callable(reply):
            reply = reply(fields)
        return xml(f"<Response>{reply}</Response>") if isinstance(reply, str) else reply

    def to(self, path: str) -> list[dict[str, str]]:
        """The forms that came to a path."""
        return [asked.form for asked in self.asked if asked.path == path]


def carrier(pages: dict[str, Reply], *, double: bool = False) -> tuple[Carrier, Tiny]:
    """A carrier whose transport is a tiny service with these pages."""
    tiny = Tiny(pages)
    return Carrier(ACCOUNT, TOKEN, BASE, transport=tiny, start=START, double=double), tiny


def said(lines: Carrier, call_sid: str) -> list[str]:
    """Everything spoken on a call."""
    return [line.text for line in lines.calls[call_sid].heard if line.kind == "say"]
