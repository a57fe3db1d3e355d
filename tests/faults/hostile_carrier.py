"""A carrier that behaves badly on purpose, as a process of its own: `python -m tests.faults.hostile_carrier PLAN`.

Speaks the message resource of the real REST API. PLAN is a JSON file: number -> how the first request for it is
answered, and how its receipts come. Its message list lags behind by seconds and fails at times. GET /ledger shows
everything it ever accepted.
"""

import json
import random
import sys
import threading
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

TROUBLES = ("none", "times_out", "answers_500", "hangs_up", "is_busy", "refuses_500")
RECEIPTS = ("none", "before_the_answer", "after")


@dataclass
class Books:
    """What the carrier knows."""

    plan: dict[str, dict[str, str]]
    lag_s: float
    silence_s: float
    accepted: list[dict[str, Any]] = field(default_factory=list)
    asked: dict[str, int] = field(default_factory=dict)
    listed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def trouble(self, number: str) -> str:
        """How this request is answered: the planned trouble the first time, well afterwards."""
        with self.lock:
            self.asked[number] = self.asked.get(number, 0) + 1
            return self.plan[number]["trouble"] if self.asked[number] == 1 else "none"

    def accept(self, form: dict[str, str]) -> dict[str, Any]:
        with self.lock:
            message = {
                "sid": f"SM{len(self.accepted) + 1:032x}",
                "to": form["To"],
                "body": form["Body"],
                "callback": form["StatusCallback"],
                "at": time.time(),
            }
            self.accepted.append(message)
            return message

    def shown(self, number: str) -> list[dict[str, Any]]:
        with self.lock:
            old = time.time() - self.lag_s
            return [one for one in reversed(self.accepted) if one["to"] == number and one["at"] < old]

    def list_fails(self) -> bool:
        with self.lock:
            self.listed += 1
            return self.listed % 3 == 1


def _resource(message: dict[str, Any]) -> dict[str, Any]:
    return {
        "sid": message["sid"],
        "to": message["to"],
        "body": message["body"],
        "status": "queued",
        "direction": "outbound-api",
        "num_segments": "1",
        "date_created": formatdate(message["at"], usegmt=True).replace("GMT", "+0000"),
    }


def _give_receipts(message: dict[str, Any]) -> None:
    """Several, in any order, some twice."""
    words = ["queued", "sent", "sent", "delivered", "delivered"]
    random.shuffle(words)
    for word in words:
        form = {"MessageSid": message["sid"], "MessageStatus": word}
        requests.post(message["callback"], data=form, timeout=20)


class Desk(BaseHTTPRequestHandler):
    """One request."""

    books: Books
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        form = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
        trouble = self.books.trouble(form["To"])
        if trouble == "is_busy":
            return self._answer(429, {"code": 20429, "message": "busy", "status": 429}, {"Retry-After": "1"})
        if trouble == "refuses_500":
            return self._answer(500, {"message": "no", "status": 500})
        message = self.books.accept(form)
        receipts = self.books.plan[form["To"]]["receipts"]
        if receipts == "before_the_answer":
            _give_receipts(message)
        elif receipts == "after":
            threading.Timer(0.3, _give_receipts, (message,)).start()
        if trouble == "times_out":
            time.sleep(self.books.silence_s)
        if trouble == "answers_500":
            return self._answer(500, {"message": "late", "status": 500})
        if trouble == "hangs_up":
            self.close_connection = True
            return None
        return self._answer(201, _resource(message))

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/ledger":
            return self._answer(200, self.books.accepted)
        if self.books.list_fails():
            return self._answer(503, {"message": "not now", "status": 503})
        number = parse_qs(parts.query)["To"][0]
        messages = [_resource(one) for one in self.books.shown(number)]
        return self._answer(200, {"messages": messages, "next_page_uri": None})

    def _answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        raw = json.dumps(body).encode()
        try:
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)
        except OSError:
            self.close_connection = True  # whoever asked was killed

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed: the numbers would be."""


class Server(ThreadingHTTPServer):
    """Quiet about clients that were killed."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def main() -> None:
    """Serve until killed; the first line printed is the port."""
    plan = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    Desk.books = Books(plan["numbers"], plan["lag_s"], plan["silence_s"])
    server = Server(("127.0.0.1", 0), Desk)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
