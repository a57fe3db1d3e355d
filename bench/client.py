"""A cheap HTTP client that signs as the carrier does: one connection a caller, one request at a time on each."""

import asyncio
import base64
import hashlib
import hmac
import itertools
import time
from dataclasses import dataclass, field
from urllib.parse import quote_plus

Form = dict[str, str]


def signature(token: str, url: str, form: Form) -> str:
    """The carrier's HMAC-SHA1 over the URL and the sorted parameters."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(), hashlib.sha1)).decode()


@dataclass
class Answers:
    """Latencies in seconds by kind, and what was not a 200 or 204."""

    by_kind: dict[str, list[float]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def add(self, kind: str, seconds: float, status: int) -> None:
        self.by_kind.setdefault(kind, []).append(seconds)
        if status not in (200, 204):
            self.failed.append(f"{kind} {status}")

    @property
    def count(self) -> int:
        return sum(len(times) for times in self.by_kind.values())

    def all(self) -> list[float]:
        return list(itertools.chain.from_iterable(self.by_kind.values()))


class Carrier:
    """Posts signed webhooks to the service."""

    def __init__(self, base_url: str, port: int, account_sid: str, token: str, answers: Answers) -> None:
        self._base_url, self._port, self._token = base_url, port, token
        self.account_sid = account_sid
        self.answers = answers
        self._tokens = itertools.count()

    async def connect(self) -> "Line":
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        return Line(self, reader, writer)

    def request(self, path: str, form: Form) -> bytes:
        body = "&".join(f"{name}={quote_plus(value)}" for name, value in form.items()).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n"
            f"I-Twilio-Idempotency-Token: {next(self._tokens):032d}\r\n"
            f"X-Twilio-Signature: {signature(self._token, self._base_url + path, form)}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


class Line:
    """One connection."""

    def __init__(self, carrier: Carrier, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._carrier, self._reader, self._writer = carrier, reader, writer

    async def post(self, path: str, form: Form) -> str:
        """The answer's body. Counted under the last part of the path."""
        request = self._carrier.request(path, form)
        begun = time.perf_counter()
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        at = lower.find(b"content-length:")
        length = int(lower[at + 15 : lower.index(b"\r", at)]) if at >= 0 else 0
        body = await self._reader.readexactly(length) if length else b""
        kind = path.partition("?")[0].rpartition("/")[2]
        self._carrier.answers.add(kind, time.perf_counter() - begun, int(head[9:12]))
        return body.decode()

    def close(self) -> None:
        self._writer.close()
