"""The link of a text: its token, and whether a visit was a person's."""

import re
import string
from dataclasses import dataclass
from datetime import datetime, timedelta

ALPHABET = string.digits + string.ascii_letters
TOKEN_LENGTH = 11  # 65 bits
TOKEN = re.compile(rf"[0-9A-Za-z]{{{TOKEN_LENGTH}}}")
TOO_SOON = timedelta(seconds=3)  # nobody reads and taps a text within this
VISIBLE_MS = 3000


def make_token(noise: bytes) -> str:
    """A token out of at least 16 random bytes. Raises ValueError for fewer."""
    if len(noise) < 16:
        raise ValueError("a token takes at least 16 random bytes")
    number, token = int.from_bytes(noise), ""
    for _ in range(TOKEN_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        token += ALPHABET[digit]
    return token


def url(base: str, token: str) -> str:
    """The address that goes into the text."""
    return f"{base.rstrip('/')}/r/{token}"


@dataclass(frozen=True, slots=True)
class Visit:
    """A request for a link. `purpose`: Sec-Purpose, Purpose, X-Purpose and X-Moz headers joined. `how`: "get" for the
    page itself, "tap" for one of its buttons, "visible" for its sign of having been seen for `visible_ms`."""

    method: str
    how: str
    user_agent: str
    purpose: str
    at: datetime
    sent_at: datetime | None
    visible_ms: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """What a visit was. Neither human nor machine: a page fetched, by we do not know whom."""

    human: bool
    why: str  # tap | visible | page_only | the reason it is a machine

    @property
    def machine(self) -> bool:
        """Recorded as `link_scanned`."""
        return not self.human and self.why != "page_only"


#: Previews of message apps (Apple's poses as two of them at once), mail and link scanners, crawlers, bare libraries.
_MACHINE = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|facebookexternalhit|facebot|twitterbot|whatsapp|telegram|slack|discord|skypeuri"
    r"|linkedin|pinterest|embedly|preview|vkshare|viber|snapchat|bitly|google-safety|googleimageproxy|safebrowsing"
    r"|mediapartners|adsbot|apis-google|lighthouse|headless|phantomjs|puppeteer|playwright-|selenium"
    r"|barracuda|proofpoint|mimecast|symantec|messagelabs|trendmicro|sophos|fortiguard|zscaler|forcepoint|cisco-umbrella"
    r"|virustotal|urlscan|urldefense|safelinks|microsoft office|ms-office|outlook-|kaspersky|avast|bitdefender|mcafee"
    r"|curl/|wget/|python-|python/|aiohttp|httpx|go-http-client|java/|okhttp|libwww|axios|node-fetch|undici|ruby|php/"
    r"|scan|monitor|uptime|nutch|http_client|httpclient",
    re.IGNORECASE,
)


def looks_human(visit: Visit) -> Look:
    """Whether a person was at work: a tap, or the page in sight for three seconds. Fetching it alone never is one."""
    if visit.method.upper() == "HEAD":
        return Look(False, "head")
    if re.search(r"prefetch|preview|prerender", visit.purpose, re.IGNORECASE):
        return Look(False, "prefetch")
    if not visit.user_agent.strip():
        return Look(False, "no_user_agent")
    if _MACHINE.search(visit.user_agent):
        return Look(False, "known_scanner")
    if visit.sent_at is None or visit.at < visit.sent_at:
        return Look(False, "before_sent")
    if visit.how == "tap":  # scanners fetch; they press no button
        return Look(True, "tap")
    if visit.at - visit.sent_at < TOO_SOON:
        return Look(False, "too_soon")
    if visit.how == "visible" and visit.visible_ms >= VISIBLE_MS:
        return Look(True, "visible")
    return Look(False, "page_only")
