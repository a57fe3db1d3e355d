"""Signed statements that go out by themselves: each once, whole or not at all, again when it did not arrive."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from psycopg import Connection

from ivr import hook_messages, statement_files, statements
from ivr.console import exports
from ivr.console.actors import at_terminal
from ivr.console.errors import Wrong
from ivr.exporting import send_exports
from models import audit
from models import statements as kept
from tests.ivr.jobs.conftest import Desk
from tests.ivr.test_statements import OCTOBER, books, close, desk, starter_plan

__all__ = ["books", "desk", "starter_plan"]

BEN = at_terminal("ben")


class Receiver:
    """Takes what is posted, and answers as it is told."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.taken: list[tuple[dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                outer.taken.append(({name.lower(): value for name, value in self.headers.items()}, raw))
                self.send_response(outer.answers.pop(0) if outer.answers else 204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/statements"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.server.shutdown()
    found.server.server_close()


def begin(conn: Connection, desk: Desk, target: str, form: str = "pdf") -> tuple[int, str | None]:
    return exports.begin(desk.wiring, conn, BEN, form=form, target=target, since=OCTOBER, why="for the archive")


def test_a_closed_month_is_written_as_a_file_once(db: Connection, books: Desk) -> None:
    begin(db, books, "file")
    assert send_exports(books.wiring) == 0
    document = close(db, books)
    assert send_exports(books.wiring) == 1
    folder = books.wiring.settings.data_dir / "exports"
    assert [file.name for file in folder.iterdir()] == ["statement-2026-10.pdf"]
    assert (folder / "statement-2026-10.pdf").read_bytes() == statement_files.write(document, "pdf")
    assert send_exports(books.wiring) == 0


def test_a_month_that_was_closed_and_not_signed_is_signed_first(db: Connection, books: Desk) -> None:
    close(db, books)
    begin(db, books, "file", "json")
    assert send_exports(books.wiring) == 1
    assert statements.sign_closed(books.wiring, db) == []


def test_an_address_gets_the_signed_file_again_until_it_takes_it(
    db: Connection, books: Desk, receiver: Receiver
) -> None:
    books.wiring.settings = books.wiring.settings.model_copy(update={"hooks_allow_private": "on"})
    _, secret = begin(db, books, receiver.url, "csv")
    assert secret is not None
    document = close(db, books)
    receiver.answers = [500]
    assert send_exports(books.wiring) == 0
    (run,) = kept.runs(db)
    assert (run.problem, run.done_at, run.attempts) == ("it answered 500", None, 1)
    assert send_exports(books.wiring) == 0
    books.now += timedelta(minutes=5)
    assert send_exports(books.wiring) == 1
    first, second = receiver.taken
    assert second[1] == statement_files.write(document, "csv")
    assert first[0]["webhook-id"] == second[0]["webhook-id"]
    wanted = hook_messages.headers(second[0]["webhook-id"], books.now, second[1], [secret])
    assert second[0]["webhook-signature"] == wanted["webhook-signature"]


def test_an_address_in_the_private_network_is_not_reached(db: Connection, books: Desk, receiver: Receiver) -> None:
    for written in (receiver.url, "https://127.0.0.1:1/"):
        with pytest.raises(Wrong):
            begin(db, books, written)
    begin(db, books, "https://2130706433:1/")  # the same machine, as the resolver reads it
    close(db, books)
    assert send_exports(books.wiring) == 0
    (run,) = kept.runs(db)
    assert run.problem == "the address is in the private network"


def test_what_was_ended_sends_no_more_and_both_are_noted(db: Connection, books: Desk) -> None:
    number, secret = begin(db, books, "file")
    assert secret is None
    exports.end(books.wiring, db, BEN, number, "no longer wanted")
    close(db, books)
    assert send_exports(books.wiring) == 0
    assert [one.what for one in audit.find(db, what="export")] == ["export.end", "export.begin"]
