"""The one way to the network for sources: what a hostile or broken server can do to us ends here.

Each request looks a host up once, refuses addresses of the private network and connects to the very address it
looked up (requests-hardened), so an answer of the DNS that changes in between changes nothing. Redirects stay on
the host. A request has 20 seconds in all, a body 10 MB after decompression, a pull one hour.
"""

import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from fnmatch import fnmatch
from threading import Timer
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool

from search.sources.source import Fetched, NotAllowed, NotThere, Paused, SourceError, TooBig

MAX_BYTES = 10_000_000
REQUEST_S = 20.0
CONNECT_S = 5.0
REDIRECTS = 5
TRIES = 4
LONGEST_WAIT_S = 120.0  # for a Retry-After; one that asks for more ends the pull
PULL_S = 3600.0
PER_SECOND = 2.5  # Discourse lets an address have 200 a minute and 50 in ten seconds
_CHUNK = 1 << 16


class Fetcher:
    """Implements `source.Fetch` for one pull.

    `agent` names us to the servers. `allow_private` lets http to this machine and the private network through, for
    development and tests. `stopped` is asked before each request; `sleep` and `monotonic` are for tests.
    """

    def __init__(
        self,
        agent: str,
        *,
        allow_private: bool = False,
        stopped: Callable[[], bool] = lambda: False,
        per_second: float = PER_SECOND,
        sleep: Callable[[float], None] = time.sleep,
        request_s: float = REQUEST_S,
        pull_s: float = PULL_S,
    ) -> None:
        self._agent = agent
        self._allow_private = allow_private
        self._stopped = stopped
        self._per_second = per_second
        self._sleep = sleep
        self._request_s = request_s
        self._ends = time.monotonic() + pull_s
        self._rates: dict[str, float] = {}
        self._next: dict[str, float] = {}

    def at_most(self, host: str, per_second: float) -> None:
        """From now on ask this host no oftener."""
        self._rates[host] = min(per_second, self._rates.get(host, self._per_second))

    def __call__(
        self,
        url: str,
        *,
        accept: tuple[str, ...],
        headers: Mapping[str, str] | None = None,
        etag: str | None = None,
        last_modified: str | None = None,
    ) -> Fetched:
        """See `source.Fetch`."""
        sent = {"User-Agent": self._agent, "Accept": ", ".join(accept), "Accept-Encoding": "gzip, deflate"}
        sent |= {"If-None-Match": etag} if etag else {}
        sent |= {"If-Modified-Since": last_modified} if last_modified else {}
        sent |= headers or {}
        for _ in range(REDIRECTS + 1):
            answer = self._until_answered(url, sent, secret=bool(headers))
            if isinstance(answer, Fetched):
                if answer.status == 304 and not (etag or last_modified):
                    raise SourceError(f"{_shown(url)} says that nothing changed (304) to who never asked before")
                _check_type(answer, accept)
                return answer
            if _site(answer) != _site(url) and answer != url.replace("http:", "https:", 1):
                raise SourceError(f"{url} leads to {_shown(answer)}, another site: add that one if it is yours")
            url = answer
        raise SourceError(f"{url} leads from one address to the next without end")

    def _until_answered(self, url: str, headers: Mapping[str, str], *, secret: bool) -> Fetched | str:
        """The answer, or where it leads, after as many tries as it takes."""
        self._check_address(url, secret)
        why = ""
        for tried in range(TRIES):
            self._take_turn(_host(url))
            try:
                return self._ask(url, headers)
            except _Again as again:
                why = str(again)
                wait = 2.0**tried if again.after_s is None else again.after_s
                if wait > LONGEST_WAIT_S:
                    raise Paused(
                        f"{_shown(url)} {why} and asks to be left alone for {wait:.0f} seconds", after_s=wait
                    ) from None
                if tried < TRIES - 1:
                    self._wait(wait)
        raise SourceError(f"{_shown(url)} {why}, {TRIES} times in a row")

    def _check_address(self, url: str, secret: bool) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise SourceError(f"{_shown(url)} is no web address (http or https, no user name in it)")
        if secret and parts.scheme == "http" and not self._allow_private:
            raise SourceError(f"{_shown(url)} is not https: our key would be sent for all to read")

    def _take_turn(self, host: str) -> None:
        now = time.monotonic()
        due = max(self._next.get(host, now), now)
        self._next[host] = due + 1 / self._rates.get(host, self._per_second)
        self._wait(due - now)

    def _wait(self, seconds: float) -> None:
        if self._stopped():
            raise Paused("this process is being stopped: the next sync goes on from here")
        if time.monotonic() + seconds > self._ends:
            raise Paused("not done within the time of one pull: the next sync goes on from here")
        if seconds > 0:
            self._sleep(seconds)

    def _ask(self, url: str, headers: Mapping[str, str]) -> Fetched | str:
        with guarded(self._request_s, allow_private=self._allow_private) as (session, watch):
            try:
                timeout = (min(CONNECT_S, self._request_s), self._request_s)
                with session.get(
                    url, headers=dict(headers), stream=True, allow_redirects=False, timeout=timeout
                ) as answer:
                    return _read(url, answer)
            except InvalidIPAddress:
                raise SourceError(f"{_shown(url)} is in the private network: not asked") from None
            except (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader, UnicodeError):
                raise SourceError(f"{_shown(url)} is no address that can be asked") from None
            except requests.exceptions.SSLError:
                raise SourceError(f"{_shown(url)} has a certificate that is not good") from None
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                if watch.hung_up:
                    raise _Again(f"was not done within {self._request_s:.0f} seconds") from None
                raise _Again(_broken(error)) from None
            except ValueError:  # from urllib, on a Location such as http://[
                raise SourceError(f"{_shown(url)} leads to something that is no web address") from None


class _Again(Exception):
    """Worth another try, `after_s` seconds from now if the server said so."""

    def __init__(self, why: str, after_s: float | None = None) -> None:
        super().__init__(why)
        self.after_s = after_s


class Watch:
    """Hangs up on connections that last too long: a read's own time-out begins again with every byte."""

    def __init__(self) -> None:
        self.hung_up = False
        self._lines: list[socket.socket] = []

    def add(self, line: socket.socket) -> None:
        """A connection to watch. A copy is kept, for TLS takes the socket over."""
        self._lines.append(line.dup())
        if self.hung_up:
            self._cut()

    @contextmanager
    def hang_up_after(self, seconds: float) -> Iterator[None]:
        """Within it, connections are cut `seconds` after its beginning."""
        timer = Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            for line in self._lines:
                line.close()

    def _cut(self) -> None:
        self.hung_up = True
        for line in self._lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)


def _watch_pool(pool: HTTPConnectionPool, watch: Watch) -> HTTPConnectionPool:
    """Connections of this pool are made known to `watch` as soon as they are open, before TLS begins."""
    base: type[HTTPConnection] = HTTPSConnection if pool.scheme == "https" else HTTPConnection

    class Connection(base):  # type: ignore[valid-type,misc]
        def _new_conn(self) -> socket.socket:
            line: socket.socket = super()._new_conn()
            watch.add(line)
            return line

    pool.ConnectionCls = Connection
    return pool


class _Watched(HTTPAdapter):
    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        super().__init__()

    def get_connection_with_tls_context(self, *args: object, **kwargs: object) -> HTTPConnectionPool:
        return _watch_pool(super().get_connection_with_tls_context(*args, **kwargs), self._watch)  # type: ignore[arg-type]


class _Guarded(IPFilterAdapter):  # type: ignore[misc]
    def __init__(self, watch: Watch, *, is_https_proto: bool) -> None:
        self._watch = watch
        super().__init__(is_https_proto=is_https_proto)

    def get_connection_with_tls_context(self, *args: object, **kwargs: object) -> HTTPConnectionPool:
        return _watch_pool(super().get_connection_with_tls_context(*args, **kwargs), self._watch)


@contextmanager
def guarded(seconds: float, *, allow_private: bool) -> Iterator[tuple[requests.Session, Watch]]:
    """A session for one request: it reaches no private network unless allowed, and is cut after `seconds` in all.

    Its requests raise `InvalidIPAddress` for an address of the private network.
    """
    watch = Watch()
    with requests.Session() as session, watch.hang_up_after(seconds):
        session.trust_env = False  # no proxy: it would look the host up again; no passwords from ~/.netrc
        for scheme in ("http", "https"):
            hardened = scheme == "https"
            session.mount(
                f"{scheme}://", _Watched(watch) if allow_private else _Guarded(watch, is_https_proto=hardened)
            )
        yield session, watch


def _read(url: str, answer: requests.Response) -> Fetched | str:
    status = answer.status_code
    if status in (301, 302, 303, 307, 308):
        return urljoin(url, answer.headers.get("Location", ""))
    if status in (404, 410):
        raise NotThere(f"{_shown(url)} is not there (it answered {status})")
    if status in (401, 403):
        raise NotAllowed(f"{_shown(url)} does not let us in (it answered {status})")
    if status == 429 or status >= 500:
        raise _Again(f"answered {status}", _retry_after(answer.headers.get("Retry-After", "")))
    if status not in (200, 304):
        raise SourceError(f"{_shown(url)} answered {status}")
    given = answer.headers.get("Content-Type", "")
    charset = re.search(r"charset=[\"']?([A-Za-z0-9._:-]{1,40})", given)
    return Fetched(
        url=url,
        status=status,
        body=b"" if status == 304 else _body(url, answer),
        content_type=given.partition(";")[0].strip().lower(),
        charset=charset[1].lower() if charset else None,
        etag=answer.headers.get("ETag"),
        last_modified=answer.headers.get("Last-Modified"),
    )


def _body(url: str, answer: requests.Response) -> bytes:
    """Read piece by piece as it comes, decompressed, so that neither a bomb nor a trickle gets far."""
    body = bytearray()
    while piece := answer.raw.read1(_CHUNK, decode_content=True):
        body += piece
        if len(body) > MAX_BYTES:
            raise TooBig(f"{_shown(url)} is bigger than {MAX_BYTES // 1_000_000} MB")
    return bytes(body)


def _retry_after(value: str) -> float | None:
    """Seconds, from either form of RFC 9110 section 10.2.3."""
    if re.fullmatch(r"\d{1,9}", value.strip()):
        return float(value)
    with suppress(ValueError, TypeError, OverflowError):
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    return None


def _check_type(answer: Fetched, accept: tuple[str, ...]) -> None:
    if answer.status == 200 and not any(fnmatch(answer.content_type, one) for one in accept):
        told = answer.content_type or "nothing that it names"
        raise SourceError(f"{_shown(answer.url)} answered with {told}, not with {' or '.join(accept)}")


def _broken(error: Exception) -> str:
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ReadTimeout | TimeoutError):
        return "does not answer"
    if isinstance(error, requests.exceptions.ContentDecodingError | urllib3.exceptions.DecodeError):
        return "answered with something that cannot be unpacked"
    if isinstance(error, ssl.SSLError):
        return "broke off the secure connection"
    return "could not be reached, or broke off"


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()


def _site(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    with suppress(ValueError):
        return parts.scheme, _host(url), parts.port
    return "", "", None


def _shown(url: str) -> str:
    """For a manager's eyes: without a query (it may hold secrets) and not longer than a line."""
    return url.partition("?")[0][:120]
