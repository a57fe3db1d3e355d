"""The page behind a texted link. Works without script and font, in one request, and says nothing about the
caller.
"""

import base64
import hashlib
import hmac
from urllib.parse import urlsplit

import redis
import structlog
from flask import Blueprint, Response, abort, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from ivr.call.wording import words
from ivr.texts.numbers import readable
from ivr.visits import Arrival, Page, Saying, visit
from ivr.web import address, pages
from ivr.web.guards import wiring
from ivr.web.steps import blocks
from search.article import Article

log = structlog.get_logger()

links = Blueprint("links", __name__, url_prefix="/r")

MISSES_A_MINUTE = 30
LARGEST_STEPS = 14_000  # bytes, so that the whole page stays under 30 kB
VISIBLE_MS = 3000
_PURPOSES = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


@links.before_request
def not_guessing() -> None:
    """A connection that tried many tokens in vain waits a minute."""
    try:
        missed = wiring().redis.get(_misses_key())
        if isinstance(missed, str) and int(missed) >= MISSES_A_MINUTE:
            abort(429)
    except (redis.RedisError, ValueError):
        return  # the limiter is losable, the page is not


@links.get("/<token>")
def read(token: str) -> AnyResponse:
    """The article."""
    page = _visit(token, "get")
    if page.news is not None:
        return _message(page, "page_incident_over") if not page.news else _news(page, page.news)
    if page.article is None:
        return _message(page, "page_gone", status=410)
    return _article(page, page.article)


@links.post("/<token>/solved")
def solved(token: str) -> AnyResponse:
    """'This solved it.'"""
    return _message(_visit(token, "tap", "solved"), "page_thanks", back=token)


@links.get("/<token>/solved")
@links.get("/<token>/help")
def back(token: str) -> AnyResponse:
    """The address that one of the answers to a tap leaves in the browser, opened anew: back to the page."""
    return pages.hardened(redirect(f"/r/{token}", 303))


@links.post("/<token>/help")
def help_(token: str) -> AnyResponse:
    """'I still need help': a number to tap that leads straight to the queue."""
    return _message(_visit(token, "tap", "help"), "page_call", back=token)


@links.post("/<token>/community")
def community(token: str) -> AnyResponse:
    """On to the community, which is the plan's and never the request's."""
    page = _visit(token, "tap", "community")
    target = page.plan.community_url
    return pages.hardened(redirect(target if web_address(target) else f"/r/{token}", 303))


@links.post("/<token>/source")
def source(token: str) -> AnyResponse:
    """The page's own word that its direct link to the source was followed."""
    _visit(token, "tap", "source")
    return pages.hardened(Response(status=204))


@links.post("/<token>/seen")
def seen(token: str) -> AnyResponse:
    """The page's own word that it was in sight for three seconds."""
    _visit(token, "visible", visible_ms=VISIBLE_MS)
    return pages.hardened(Response(status=204))


def _visit(token: str, how: str, says: Saying | None = None, visible_ms: int = 0) -> Page:
    purpose = " ".join(request.headers.get(name, "") for name in _PURPOSES)
    agent = request.headers.get("User-Agent", "")[:400]
    page = visit(wiring(), token, Arrival(request.method, how, agent, purpose[:200], says, visible_ms))
    if page is None:
        _count_miss()
        abort(404)
    return page


def _article(page: Page, article: Article) -> AnyResponse:
    def say(key: str, **values: str) -> str:
        return words(page.plan, page.language, key, **values)

    answer = article.accepted or max(article.answers, key=lambda one: one.votes, default=None)
    return pages.page(
        "article.html",
        language=page.language,
        brand=page.plan.brand,
        title=article.title,
        by=say("page_by", who=answer.author) if answer and answer.author else "",
        blocks=blocks(answer.text if answer else article.question, LARGEST_STEPS),
        here=request.path,
        solved=say("page_solved"),
        need_help=say("page_need_help"),
        source=say("page_source"),
        source_url=article.url if web_address(article.url) else "",
        licence=article.licence[:80],
        community=say("page_community", brand=page.plan.brand),
        community_url=page.plan.community_url if web_address(page.plan.community_url) else "",
        form_target=_origin(page.plan.community_url),
        script="article.js",
    )


def _news(page: Page, news: str) -> AnyResponse:
    """An incident's, in the manager's own words."""
    number = readable(page.number)
    return pages.page(
        "message.html", language=page.language, brand=page.plan.brand, words=news, tel=page.number, tel_shown=number
    )


def _message(page: Page, key: str, *, status: int = 200, back: str | None = None) -> AnyResponse:
    number = readable(page.number)
    said = words(page.plan, page.language, key, number=number, brand=page.plan.brand)
    return pages.page(
        "message.html",
        status,
        language=page.language,
        brand=page.plan.brand,
        words=said,
        tel=page.number if key in ("page_call", "page_gone") else "",
        tel_shown=number,
        back=f"/r/{back}" if back else "",
        back_title=page.article.title if page.article else "",
    )


def web_address(url: str) -> bool:
    """Whether a link of this kind may stand on a page: http or https, a host, and nothing that hides it."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    plain = url.isprintable() and not any(letter in url for letter in " \\\"'<>")
    return plain and parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None


def _origin(url: str) -> str:
    if not web_address(url):
        return ""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".replace(";", "").replace(",", "")


def _misses_key() -> str:
    secret = wiring().settings.link_secret.get_secret_value().encode()
    digest = hmac.new(secret, address.visitor().encode("utf-8", "replace"), hashlib.sha256).digest()
    return f"offhold:link_misses:{base64.urlsafe_b64encode(digest[:12]).decode()}"


def _count_miss() -> None:
    try:
        with wiring().redis.pipeline(transaction=False) as pipe:
            pipe.incr(_misses_key())
            pipe.expire(_misses_key(), 60)
            pipe.execute()
    except redis.RedisError:
        log.info("miss_not_counted")
