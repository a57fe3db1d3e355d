"""Signed requests to the service: connection overrides, retries under one idempotency token, redirects."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from ivr.phone.signing import Pairs, sign
from ivr.phone.transport import Answer, ConnectFailed, TimedOut, Transport
from ivr.phone.twiml import Unusable

MOST_REDIRECTS = 10


@dataclass(frozen=True)
class Overrides:
    """What the fragment of a webhook URL asks for: retries `rc` on the kinds of failure in `rp`."""

    retries: int = 1
    on: frozenset[str] = frozenset({"ct"})

    def retry(self, kind: str) -> bool:
        """True when this kind of failure (ct, rt, 4xx, 5xx) is to be tried again."""
        return kind in self.on or "all" in self.on


def overrides(url: str) -> Overrides:
    """Read `#rc=2&rp=ct,rt`; what is out of range counts as absent."""
    keys = parse_qs(urlsplit(url).fragment)
    count = keys.get("rc", ["1"])[0]
    kinds = frozenset(keys.get("rp", ["ct"])[0].split(",")) & {"4xx", "5xx", "ct", "rt", "all"}
    return Overrides(int(count) if count in {"0", "1", "2", "3", "4", "5"} else 1, kinds or frozenset({"ct"}))


@dataclass
class Webhooks:
    """Sends what Twilio sends. `double` plays every request twice and reports answers that differ."""

    transport: Transport
    auth_token: str
    double: bool = False
    differ: Callable[[str, str], None] = lambda url, text: None
    sent: list[str] = field(default_factory=list)
    """One line per request: method, path and status, in order."""

    def media(self, url: str) -> Answer:
        """GET a recording: no parameters, no signature; follows redirects. Raises Unusable 11200/11205."""
        return self._follow("GET", url, (), {}, signed=False)

    def post(self, method: str, url: str, form: Sequence[tuple[str, str]], *, cookies: str = "") -> Answer:
        """One webhook. Raises Unusable: 11205 no connection, 11200 too late, 11215 too many redirects."""
        headers = {"I-Twilio-Idempotency-Token": str(uuid.uuid4()), "X-Home-Region": "us1"}
        if cookies:
            headers["Cookie"] = cookies
        answer = self._follow(method, url, form, headers, signed=True)
        if self.double:
            again = self._follow(method, url, form, headers, signed=True)
            if (again.status, again.body) != (answer.status, answer.body):
                first, second = answer.body[:300], again.body[:300]
                self.differ(url, f"{answer.status} {first!r} then {again.status} {second!r}")
        return answer

    def _follow(self, method: str, url: str, form: Pairs, headers: dict[str, str], *, signed: bool) -> Answer:
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._tries(method, url, form, headers, signed=signed)
            place = answer.headers.get("location")
            if answer.status not in (301, 302, 303, 307, 308) or not place:
                return answer
            lost = {"Digits", "SpeechResult", "Confidence", "FinishedOnKey", "msg"}
            method, url = "GET", urljoin(url, place)
            form = [pair for pair in form if pair[0] not in lost]
        raise Unusable(11215, f"more than {MOST_REDIRECTS} redirects")

    def _tries(self, method: str, url: str, form: Pairs, headers: dict[str, str], *, signed: bool) -> Answer:
        wish, failure, answer = overrides(url), Unusable(11200, "never tried"), None
        for _ in range(wish.retries + 1):
            try:
                answer = self._once(method, url, form, headers, signed=signed)
                kind = f"{answer.status // 100}xx"
            except ConnectFailed as problem:
                answer, kind, failure = None, "ct", Unusable(11205, f"no connection ({problem})")
            except TimedOut as problem:
                answer, kind, failure = None, "rt", Unusable(11200, f"no answer in time ({problem})")
            if kind in ("1xx", "2xx", "3xx") or not wish.retry(kind):
                break
        if answer is None:
            raise failure
        return answer

    def _once(self, method: str, url: str, form: Pairs, headers: dict[str, str], *, signed: bool) -> Answer:
        target = url.split("#", 1)[0]
        body: Pairs = form
        if method == "GET" and form:
            target += ("&" if urlsplit(target).query else "?") + urlencode(list(form))
            body = ()
        sent = {"User-Agent": "TwilioProxy/1.1", "Accept": "*/*", **headers}
        if method == "POST":
            sent["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        if signed:
            sent["X-Twilio-Signature"] = sign(target, body, self.auth_token)
        answer = self.transport(method, target, body, sent)
        self.sent.append(f"{method} {urlsplit(target).path} {answer.status}")
        return answer
