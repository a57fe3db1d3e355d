"""The sending side of the load: requests that were signed beforehand, sent at fixed instants however long answers take.

One process, no thread, no parsing beyond what finds an answer's end, so that what is measured is the service.
"""

import asyncio
import itertools
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from urllib.parse import quote_plus
from xml.etree import ElementTree as ET

from bench.client import Form, signature

LINES = 96  # connections to begin with; they take turns, so that every web process gets its share
MOST_LINES = 800  # under what the server takes at a time
_tokens = itertools.count()


def signed(port: int, base_url: str, token: str, path: str, form: Form) -> bytes:
    """A webhook as it goes over the wire."""
    body = "&".join(f"{name}={quote_plus(value)}" for name, value in form.items())
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n"
        f"I-Twilio-Idempotency-Token: {next(_tokens):032d}\r\n"
        f"X-Twilio-Signature: {signature(token, base_url + path, form)}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


@dataclass
class Answered:
    """What came back. Seconds from the instant at which a request was due, by kind."""

    by_kind: dict[str, list[float]] = field(default_factory=dict)
    failed: Counter[str] = field(default_factory=Counter)
    documents: set[bytes] = field(default_factory=set)
    points: list[tuple[float, float]] = field(default_factory=list)  # when due, seconds until the answer
    late: list[float] = field(default_factory=list)  # seconds between due and sent: the generator's own, and a line's

    def add(self, kind: str, took: float, status: int, body: bytes) -> None:
        """One answer."""
        self.by_kind.setdefault(kind, []).append(took)
        if status not in (200, 204):
            self.failed[f"{kind}: status {status}"] += 1
        elif status == 200 and len(self.documents) < 50_000:
            self.documents.add(body)

    @property
    def count(self) -> int:
        """How many answers."""
        return sum(len(times) for times in self.by_kind.values())

    def all(self) -> list[float]:
        """Their times."""
        return list(itertools.chain.from_iterable(self.by_kind.values()))

    def invalid(self) -> list[str]:
        """Documents a carrier would refuse, each once."""
        return [body[:80].decode(errors="replace") for body in self.documents if not _is_twiml(body)]


def _is_twiml(body: bytes) -> bool:
    try:
        return ET.fromstring(body).tag == "Response"
    except ET.ParseError:
        return False


class _Wire(asyncio.Protocol):
    """One connection, one request at a time on it."""

    def __init__(self) -> None:
        self._read = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError())

    def data_received(self, data: bytes) -> None:
        self._read += data
        end = self._read.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._read[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r", 1)[0]) if at >= 0 else 0
        if len(self._read) >= end + 4 + length and self._answer is not None:
            body, self._read = self._read[end + 4 :], b""
            self._answer.set_result((int(head[9:12]), body))

    @property
    def closed(self) -> bool:
        """Whether the server hung up."""
        return self._transport is None

    def ask(self, request: bytes) -> "asyncio.Future[tuple[int, bytes]]":
        if self._transport is None:
            raise ConnectionResetError
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Lines:
    """Connections to one port, lent in turn."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: deque[_Wire] = deque()
        self._open = 0
        self._room = asyncio.Semaphore(MOST_LINES)

    async def open(self, count: int = LINES) -> None:
        """So many connections to begin with."""
        for _ in range(count):
            self._free.append(await self._connect())

    async def post(self, answered: Answered, kind: str, request: bytes, due: float) -> bytes | None:
        """Send, and note the answer under `kind`; its body, None where none came."""
        async with self._room:
            while self._free and self._free[0].closed:  # nobody used it for long
                self._free.popleft()
            wire = self._free.popleft() if self._free else await self._connect()
            answered.late.append(time.perf_counter() - due)
            try:
                status, body = await wire.ask(request)
            except OSError as error:
                answered.failed[f"{kind}: {type(error).__name__}"] += 1
                return None
            took = time.perf_counter() - due
            answered.add(kind, took, status, body)
            answered.points.append((due, took))
            self._free.append(wire)
            return body

    async def _connect(self) -> _Wire:
        _, wire = await asyncio.get_running_loop().create_connection(_Wire, "127.0.0.1", self._port)
        return wire

    def close(self) -> None:
        """Hang up on all."""
        for wire in self._free:
            wire.close()
