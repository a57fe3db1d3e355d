"""Webhooks out, received by a server on this machine."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from config.settings import Settings
from ivr.console import hooks as work
from ivr.console.actors import at_terminal
from ivr.console.errors import Wrong
from ivr.jobs.send_hooks import AGAIN_AFTER, KEPT, forget_hook_messages, send_hooks, send_test
from ivr.wiring import Wiring
from models import audit, facts, hooks
from tests.ivr.web.conftest import CALL, Clock, clock, wiring  # noqa: F401

BY = at_terminal("tests")


class Receiver(BaseHTTPRequestHandler):
    """Keeps what it gets and answers as told."""

    status: ClassVar[int] = 204
    got: ClassVar[list[tuple[dict[str, str], bytes]]] = []

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append(({name.lower(): value for name, value in self.headers.items()}, content))
        self.send_response(self.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def receiver() -> Iterator[str]:
    """The address of a receiver that takes everything at first."""
    Receiver.status, Receiver.got = 204, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/facts"
    server.shutdown()
    server.server_close()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"hooks_allow_private": "on"})


@pytest.fixture(name="site")
def _site(wiring: Wiring) -> Wiring:  # noqa: F811
    return wiring


@pytest.fixture(name="time")
def _time(clock: Clock) -> Clock:  # noqa: F811
    return clock


def make(site: Wiring, url: str, *names: str) -> tuple[int, str]:
    with site.pool.connection() as conn:
        return work.make(conn, site, BY, url=url, names=names, why="the data warehouse")


def happened(site: Wiring, name: str, **data: Any) -> None:
    with site.pool.connection() as conn:
        facts.add(conn, CALL, name, site.clock(), data, plan_version=1)


def switched(site: Wiring, number: int) -> str:
    with site.pool.connection() as conn:
        return work.read(conn, number).state


def signature(secret: str, headers: dict[str, str], content: bytes) -> str:
    """Worked out as the specification of Standard Webhooks says."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{content.decode()}"
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.new(key, signed.encode(), hashlib.sha256).digest()).decode()


def test_a_fact_is_told_signed_once_and_without_numbers(site: Wiring, receiver: str) -> None:
    happened(site, "held", queue="before the webhook was made")
    _, secret = make(site, receiver)
    happened(site, "held", queue="technical", path=["3", "1"], odd="+12025550143", deep={"odd": ["202-555-0143"]})
    assert send_hooks(site) == 1
    assert send_hooks(site) == 0
    ((headers, content),) = Receiver.got
    told = json.loads(content)
    assert told["type"] == "offhold.held"
    assert told["timestamp"] == "2026-11-23T15:00:00+00:00"
    assert told["data"]["call"] == CALL
    assert told["data"]["plan_version"] == 1
    assert told["data"]["data"] == {
        "queue": "technical", "path": ["3", "1"], "odd": "(number)", "deep": {"odd": ["(number)"]},
    }  # fmt: skip
    assert headers["webhook-signature"] == signature(secret, headers, content)
    assert headers["webhook-timestamp"] == str(int(site.clock().timestamp()))


def test_the_list_is_in_the_order_of_the_facts_and_only_those_wanted(site: Wiring, receiver: str) -> None:
    make(site, receiver, "offered", "accepted")
    for name in ("held", "offered", "declined", "accepted"):
        happened(site, name)
    assert send_hooks(site) == 2
    assert [json.loads(content)["data"]["name"] for _, content in Receiver.got] == ["offered", "accepted"]


def test_what_is_not_taken_is_sent_again_with_the_same_id(site: Wiring, time: Clock, receiver: str) -> None:
    number, _ = make(site, receiver)
    happened(site, "held")
    Receiver.status = 503
    assert send_hooks(site) == 0
    assert send_hooks(site) == 0
    assert len(Receiver.got) == 1
    assert switched(site, number) == "failing"
    time.on(AGAIN_AFTER[0].total_seconds() + 1)
    Receiver.status = 200
    assert send_hooks(site) == 1
    assert switched(site, number) == "on"
    first, second = Receiver.got
    assert first[0]["webhook-id"] == second[0]["webhook-id"]
    assert first[1] == second[1]


def test_three_days_without_a_taken_message_switch_it_off_and_nothing_is_lost(
    site: Wiring, time: Clock, receiver: str
) -> None:
    number, _ = make(site, receiver)
    happened(site, "held")
    Receiver.status = 500
    for wait in AGAIN_AFTER:
        send_hooks(site)
        time.on(wait.total_seconds() + 1)
    send_hooks(site)
    assert switched(site, number) == "off"
    with site.pool.connection() as conn:
        found = work.read(conn, number).hook
        assert found.off_why == "it answered 500"
        assert [one.what for one in audit.find(conn, limit=1)] == ["webhook.off"]
    happened(site, "offered")
    before = len(Receiver.got)
    send_hooks(site)
    assert len(Receiver.got) == before
    Receiver.status = 200
    with site.pool.connection() as conn:
        work.switch(conn, site, BY, number, on=True, why="mended")
    send_hooks(site)
    assert json.loads(Receiver.got[-1][1])["data"]["name"] == "offered"


def test_a_receiver_that_is_gone_is_not_asked_again(site: Wiring, receiver: str) -> None:
    number, _ = make(site, receiver)
    happened(site, "held")
    Receiver.status = 410
    send_hooks(site)
    assert switched(site, number) == "off"


def test_a_redirect_is_a_failure_and_not_followed(site: Wiring, receiver: str) -> None:
    number, _ = make(site, receiver)
    happened(site, "held")
    Receiver.status = 302
    assert send_hooks(site) == 0
    assert len(Receiver.got) == 1
    with site.pool.connection() as conn:
        assert hooks.messages(conn, number)[0].problem == "it answered 302"


def test_for_a_day_both_secrets_sign(site: Wiring, time: Clock, receiver: str) -> None:
    number, old = make(site, receiver)
    with site.pool.connection() as conn:
        new = work.rotate(conn, site, BY, number, "it was mailed around")
    happened(site, "held")
    send_hooks(site)
    time.on(24 * 3600)
    happened(site, "held")
    send_hooks(site)
    first, second = Receiver.got
    assert first[0]["webhook-signature"] == f"{signature(new, *first)} {signature(old, *first)}"
    assert second[0]["webhook-signature"] == signature(new, *second)


def test_a_fact_whose_turn_ends_late_is_told_too(site: Wiring, receiver: str) -> None:
    make(site, receiver)
    with site.pool.connection() as slow, slow.transaction():
        facts.add(slow, CALL, "held", site.clock())
        happened(site, "offered")
        send_hooks(site)
    send_hooks(site)
    assert [json.loads(content)["data"]["name"] for _, content in Receiver.got] == ["offered", "held"]


def test_a_worker_that_dies_while_sending_loses_nothing(site: Wiring, time: Clock, receiver: str) -> None:
    number, _ = make(site, receiver)
    happened(site, "held")
    with site.pool.connection() as conn:
        hooks.take_new(conn, number, time())
        assert hooks.claim(conn, number, time(), time() + timedelta(minutes=2)) is not None
    assert send_hooks(site) == 0
    time.on(121)
    assert send_hooks(site) == 1


def test_what_was_delivered_is_forgotten_after_a_week_and_never_sent_again(
    site: Wiring, time: Clock, receiver: str
) -> None:
    number, _ = make(site, receiver)
    for _ in range(3):
        happened(site, "held")
    send_hooks(site)
    time.on(KEPT.total_seconds() + 1)
    forget_hook_messages(site)
    assert send_hooks(site) == 0
    with site.pool.connection() as conn:
        conn.execute("UPDATE hooks SET mark = mark + 2000")
    forget_hook_messages(site)
    with site.pool.connection() as conn:
        assert hooks.messages(conn, number) == []


def test_a_test_message_says_what_went_wrong(site: Wiring, receiver: str) -> None:
    number, _ = make(site, receiver)
    with site.pool.connection() as conn:
        found = work.read(conn, number).hook
    assert send_test(site, found) is None
    Receiver.status = 401
    assert send_test(site, found) == "it answered 401"


def test_the_private_network_is_out_of_reach(site: Wiring) -> None:
    number, _ = make(site, "https://127.0.0.1:9/facts")
    happened(site, "held")
    object.__setattr__(site, "settings", site.settings.model_copy(update={"hooks_allow_private": "off"}))
    send_hooks(site)
    with site.pool.connection() as conn:
        assert hooks.messages(conn, number)[0].problem == "the address is in the private network"


@pytest.mark.parametrize(
    "url",
    ["", "ftp://x.example/", "https://", "https://user:word@x.example/", "https://x.example:99999/", "https://[::1",
     "https://x.example/#part", "https://x.example/a b", "https://exämple.example/", "https://x.example/" + "a" * 500],
)  # fmt: skip
def test_an_address_that_cannot_be_one_is_told_beside_its_field(site: Wiring, url: str) -> None:
    with pytest.raises(Wrong) as caught:
        make(site, url)
    assert set(caught.value.problems) == {"url"}


def test_neither_an_unknown_fact_nor_http_nor_no_reason_is_taken(site: Wiring) -> None:
    object.__setattr__(site, "settings", site.settings.model_copy(update={"hooks_allow_private": "off"}))
    with site.pool.connection() as conn, pytest.raises(Wrong) as caught:
        work.make(conn, site, BY, url="http://x.example/", names=["no_such"], why=" ")
    assert set(caught.value.problems) == {"url", "facts", "why"}
