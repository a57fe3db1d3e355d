"""The way to the network, against servers that mean no good."""

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import urllib3.util.connection

from search.sources.fetching import MAX_BYTES, Fetcher
from search.sources.source import NotAllowed, NotThere, Paused, SourceError
from tests.search.sources.standins import Answer, Asked, StandIn, as_json, zipped

JSON = ("application/json",)


class Echo(StandIn):
    """Answers as `said` holds, in turn; the last one again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[Answer] = [as_json({"ok": True})]

    def answer(self, asked: Asked) -> Answer:
        return self.said.pop(0) if len(self.said) > 1 else self.said[0]


@pytest.fixture
def server() -> Iterator[Echo]:
    echo = Echo()
    with echo.running():
        yield echo


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def fetch(slept: list[float]) -> Fetcher:
    return Fetcher("Offhold (+https://help.example)", allow_private=True, per_second=1e6, sleep=slept.append)


def refused(fetch: Fetcher, url: str, **more: Any) -> str:
    with pytest.raises(SourceError) as told:
        fetch(url, accept=JSON, **more)
    return str(told.value)


PRIVATE = """127.0.0.1 0x7f000001 2130706433 0.0.0.0 10.1.2.3 192.168.0.1 169.254.169.254 100.64.0.1
    [::1] [::ffff:10.0.0.1] [fe80::1] [fd00::1] [64:ff9b::a00:1]"""


@pytest.mark.parametrize("host", PRIVATE.split())
def test_the_private_network_is_not_asked(host: str) -> None:
    assert "private network" in refused(Fetcher("us", sleep=lambda _: None), f"http://{host}/feed")


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://example.com/x", "http://me@example.com/", "//example.com", "", "http://", "gopher:x"],
)
def test_what_is_no_web_address_is_not_asked(fetch: Fetcher, url: str) -> None:
    assert "is no web address" in refused(fetch, url)


def test_a_name_that_points_elsewhere_a_moment_later_leads_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[str] = []
    connected: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "rebind.example.com":
            return real(host, port, *args, **kwargs)
        looked_up.append(host)
        return real("93.184.216.34" if len(looked_up) == 1 else "127.0.0.1", port, *args, **kwargs)

    def connect(address: tuple[str, int], *args: Any, **kwargs: Any) -> socket.socket:
        connected.append(address[0])
        raise OSError("no network here")

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(urllib3.util.connection, "create_connection", connect)
    answer = refused(Fetcher("us", sleep=lambda _: None), "http://rebind.example.com/latest.json")
    assert connected == ["93.184.216.34"]  # the address that was checked, never the second answer
    assert "private network" in answer  # the second try looks the name up anew, and is refused


def test_a_key_is_not_sent_in_the_clear() -> None:
    told = refused(Fetcher("us", sleep=lambda _: None), "http://example.com/x", headers={"Api-Key": "k"})
    assert "is not https" in told


def test_a_good_answer_names_what_comes_back_with_the_next_request(server: Echo, fetch: Fetcher) -> None:
    got = fetch(f"{server.url}/a?b=1", accept=JSON)
    assert (got.status, got.body, got.content_type, got.charset) == (200, b'{"ok": true}', "application/json", "utf-8")
    assert server.asked[0].headers["user-agent"] == "Offhold (+https://help.example)"
    again = fetch(f"{server.url}/a?b=1", accept=JSON, etag=got.etag)
    assert (again.status, again.body) == (304, b"")


def test_a_redirect_on_the_same_host_is_followed(server: Echo, fetch: Fetcher) -> None:
    server.said = [Answer(302, b"", {"Location": "/there"}), as_json([])]
    assert fetch(f"{server.url}/here", accept=JSON).url == f"{server.url}/there"


@pytest.mark.parametrize(
    "to",
    [
        "http://10.0.0.1/",
        "http://localhost/",
        "file:///etc/passwd",
        "//evil.example/x",
        "http://127.0.0.1:1/",
        "https:x",
    ],
)
def test_a_redirect_elsewhere_is_not_followed(server: Echo, fetch: Fetcher, to: str) -> None:
    server.said = [Answer(301, b"", {"Location": to})]
    assert "another site" in refused(fetch, f"{server.url}/here")
    assert len(server.asked) == 1


def test_a_redirect_to_no_address_is_not_followed(server: Echo, fetch: Fetcher) -> None:
    server.said = [Answer(301, b"", {"Location": "http://["})]
    assert "no web address" in refused(fetch, f"{server.url}/here")


def test_redirects_without_end_are_left(server: Echo, fetch: Fetcher) -> None:
    server.said = [Answer(302, b"", {"Location": "/again"})]
    assert "without end" in refused(fetch, f"{server.url}/again")
    assert len(server.asked) == 6


def test_a_gzip_bomb_is_left_when_it_is_too_big(server: Echo, fetch: Fetcher) -> None:
    server.said = [zipped(b" " * (MAX_BYTES * 30))]
    began = time.monotonic()
    assert "is bigger than 10 MB" in refused(fetch, server.url)
    assert time.monotonic() - began < 10


def test_a_bomb_of_many_layers_is_not_unpacked(server: Echo, fetch: Fetcher) -> None:
    server.said = [Answer(body=b"x" * 100, headers={"Content-Encoding": ", ".join(["gzip"] * 50)})]
    assert "could not be reached" in refused(fetch, server.url) or "unpacked" in refused(fetch, server.url)


def test_a_trickle_is_cut_off(server: Echo, slept: list[float]) -> None:
    fetch = Fetcher("us", allow_private=True, per_second=1e6, sleep=slept.append, request_s=0.4)
    server.said = [Answer(body=b"x" * 100_000, headers={"Content-Type": "application/json"}, drip_s=0.05)]
    began = time.monotonic()
    assert "was not done within 0 seconds, 4 times in a row" in refused(fetch, server.url)
    assert time.monotonic() - began < 10


def test_an_answer_that_breaks_off_is_asked_for_again(server: Echo, fetch: Fetcher, slept: list[float]) -> None:
    half = Answer(body=b'{"ok"', headers={"Content-Type": "application/json", "Content-Length": "500"})
    server.said = [half, as_json({"ok": True})]
    assert fetch(server.url, accept=JSON).body == b'{"ok": true}'
    assert 1.0 in slept


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed(server: Echo, fetch: Fetcher, slept: list[float], status: int) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    server.said = [Answer(status, b"", {"Retry-After": "7"}), Answer(status, b"", {"Retry-After": later}), as_json([])]
    assert fetch(server.url, accept=JSON).body == b"[]"
    waits = [one for one in slept if one > 1]
    assert waits[0] == 7.0
    assert 30 < waits[1] <= 40


@pytest.mark.parametrize("wish", ["Wed, 99999999999999999999 Oct 2026 07:28:00 GMT", "-5", "soon", ""])
def test_a_retry_after_that_cannot_be_read_is_none(server: Echo, fetch: Fetcher, slept: list[float], wish: str) -> None:
    server.said = [Answer(429, b"", {"Retry-After": wish}), as_json([])]
    assert fetch(server.url, accept=JSON).body == b"[]"
    assert 1.0 in slept


def test_who_wants_to_be_left_alone_for_an_hour_is(server: Echo, fetch: Fetcher) -> None:
    server.said = [Answer(429, b"", {"Retry-After": "3600"})]
    with pytest.raises(Paused, match="left alone for 3600 seconds"):
        fetch(server.url, accept=JSON)
    assert len(server.asked) == 1


def test_errors_are_told_in_words(server: Echo, fetch: Fetcher) -> None:
    server.said = [Answer(500)]
    assert refused(fetch, server.url).endswith("answered 500, 4 times in a row")
    server.said = [Answer(418)]
    assert refused(fetch, server.url).endswith("answered 418")
    for status, kind in ((404, NotThere), (410, NotThere), (401, NotAllowed), (403, NotAllowed)):
        server.said = [Answer(status)]
        with pytest.raises(kind):
            fetch(server.url, accept=JSON)


def test_nothing_changed_is_no_answer_to_who_never_asked(server: Echo, fetch: Fetcher) -> None:
    server.said = [Answer(304), Answer(304)]
    assert "304" in refused(fetch, server.url)
    assert fetch(server.url, accept=JSON, etag='"a"').status == 304


def test_another_content_type_is_refused(server: Echo, fetch: Fetcher) -> None:
    server.said = [Answer(body=b"<html>Log in", headers={"Content-Type": "text/html; charset=utf-8"})]
    assert "answered with text/html, not with application/json" in refused(fetch, server.url)
    assert fetch(server.url, accept=("text/*",)).body == b"<html>Log in"


def test_a_host_is_not_asked_oftener_than_it_likes(server: Echo, slept: list[float]) -> None:
    fetch = Fetcher("us", allow_private=True, per_second=100, sleep=slept.append)
    fetch.at_most("127.0.0.1", 0.5)
    for _ in range(3):
        fetch(server.url, accept=JSON)
    assert [round(one) for one in slept] == [2, 4]  # these waits were not waited here


def test_a_pull_ends_with_its_time_and_with_its_process(server: Echo) -> None:
    with pytest.raises(Paused, match="not done within the time"):
        Fetcher("us", allow_private=True, pull_s=0)(server.url, accept=JSON)
    with pytest.raises(Paused, match="is being stopped"):
        Fetcher("us", allow_private=True, stopped=lambda: True)(server.url, accept=JSON)
    assert server.asked == []
