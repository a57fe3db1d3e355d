"""What a story does over HTTP besides calling: the article page, and raw webhooks."""

import re
import uuid
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

from ivr.phone.call import Call
from ivr.phone.engine import Carrier
from ivr.phone.signing import sign
from ivr.phone.transport import Answer, ConnectFailed, TimedOut, Transport

_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
AGENTS = {
    "person": _IPHONE + " Version/18.5 Mobile/15E148 Safari/604.1",
    "preview": "WhatsApp/2.24.1 A",
    "scanner": "Mozilla/5.0 (compatible; LinkScanner/1.0; +https://scanner.example/bot)",
}
_LINK = re.compile(r"https?://[^\s<>\"]+")


class WebProblem(Exception):
    """The page could not be used as written."""


class _Forms(HTMLParser):
    """The forms and links of a page: (method, address, hidden fields)."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ways: list[tuple[str, str, list[tuple[str, str]]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See HTMLParser."""
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.ways.append((has.get("method", "get").upper(), has.get("action", ""), []))
        elif tag == "a" and "href" in has:
            self.ways.append(("GET", has["href"], []))
        elif tag == "input" and self.ways and has.get("type") == "hidden":
            self.ways[-1][2].append((has.get("name", ""), has.get("value", "")))


class Browser:
    """Opens the link of the latest text, as a person's browser or a machine would."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._link = ""
        self._page = ""

    def read(self, body: str) -> None:
        """Look at a text; its first link is the one to open."""
        if found := _LINK.search(body):
            self._link = found.group().rstrip(".,")

    def open(self, who: str) -> str:
        """Fetch the page; a person's browser also says that it was seen. Raises WebProblem."""
        if not self._link:
            raise WebProblem("no text with a link was read")
        answer = self._send("GET", self._link, [], who)
        if answer.status != 200:
            raise WebProblem(f"{self._link}: HTTP {answer.status}")
        page = answer.body.decode("utf-8", "replace")
        if who == "person":
            self._page = page
            if "seen" in page:
                self._beacon("seen")
        return page

    def tap(self, what: str) -> str:
        """Use the button or link of the page whose address ends so. Raises WebProblem."""
        if what == "source" and 'id="source"' in self._page:
            return self._beacon("source")
        ends = f"/{what}"
        for method, address, fields in _Forms(self._page).ways:
            if address.split("?")[0].endswith(ends):
                answer = self._send(method, urljoin(self._link, address), fields, "person")
                if answer.status in (301, 302, 303) and "location" in answer.headers and what != "community":
                    back = urljoin(self._link, answer.headers["location"])
                    answer = self._send("GET", back, [], "person")
                if answer.status >= 400:
                    raise WebProblem(f"{address}: HTTP {answer.status}")
                return answer.body.decode("utf-8", "replace")
        raise WebProblem(f"the page has nothing that leads to {ends}")

    def _beacon(self, what: str) -> str:
        """What the page's own script tells its server."""
        answer = self._send("POST", f"{self._link.split('?')[0]}/{what}", [], "person")
        if answer.status >= 400:
            raise WebProblem(f"{what}: HTTP {answer.status}")
        return ""

    def _send(self, method: str, url: str, form: list[tuple[str, str]], who: str) -> Answer:
        headers = {"User-Agent": AGENTS[who], "Accept": "text/html", "Accept-Language": "en-US"}
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            return self._transport(method, url, form, headers)
        except (ConnectFailed, TimedOut) as problem:
            raise WebProblem(f"{url}: {problem}") from problem


def inject(carrier: Carrier, call: Call | None, wish: Mapping[str, Any]) -> list[str]:
    """Send one raw webhook and say what is wrong with the answer.

    `path` is a path of the service, or `@gather`, `@hold` or `@queue-result`: the address the call was last
    given for that. A call's own parameters are sent along, those in `form` win; `signed: false` forges the
    signature; `twice` sends it again under the same token and wants the same answer.
    """
    url = _address(carrier, call, str(wish["path"]))
    fields = dict(call.parameters()) if call is not None else {"AccountSid": carrier.account_sid}
    fields |= {str(name): str(value) for name, value in (wish.get("form") or {}).items()}
    form, signed = list(fields.items()), wish.get("signed", True)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "User-Agent": "TwilioProxy/1.1",
        "I-Twilio-Idempotency-Token": str(uuid.uuid4()),
    }
    if signed is not None:
        headers["X-Twilio-Signature"] = sign(url, form, carrier.auth_token if signed else "somebody else")
    transport = carrier.webhooks.transport
    answer = transport(str(wish.get("method", "POST")), url, form, headers)
    problems = _judge(answer, wish)
    if wish.get("twice"):
        again = transport(str(wish.get("method", "POST")), url, form, headers)
        if (again.status, again.body) != (answer.status, answer.body):
            problems.append(f"sent twice, answered {answer.body!r} then {again.body!r}")
    return problems


def _address(carrier: Carrier, call: Call | None, path: str) -> str:
    if path.startswith("@"):
        known = call.addresses.get(path[1:]) if call is not None else None
        if known is None:
            raise WebProblem(f"the call was never given an address for {path}")
        return known
    return urljoin(carrier.service_url + "/", path.lstrip("/"))


def _judge(answer: Answer, wish: Mapping[str, Any]) -> list[str]:
    expected = wish.get("status", 200 if wish.get("signed", True) else 403)
    text = answer.body.decode("utf-8", "replace")
    allowed = {200, 204} if expected == 200 else {int(expected)}
    problems = [] if answer.status in allowed else [f"HTTP {answer.status}, expected {expected}"]
    wanted = wish.get("contains") or []
    wanted = wanted if isinstance(wanted, list) else [wanted]
    return problems + [
        f"{words!r} is not in {text!r}" for words in wanted if str(words).casefold() not in text.casefold()
    ]
