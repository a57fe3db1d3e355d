"""Zendesk Guide help centers, by the Help Center API (developer.zendesk.com, Articles).

Anybody may list what anybody may read. With an agent's key (`credentials`: "email/token:KEY") the incremental export
tells what changed; archived articles only fall out of the list, so they are seen by the daily full listing.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from search.sources.payload import JSON, as_object, get_json, moment, number, objects, read_cursor, text, write_cursor
from search.sources.source import (
    Batch,
    Change,
    Fetch,
    Gone,
    NotAllowed,
    NotThere,
    Place,
    Progress,
    Raw,
    RawAnswer,
    SourceError,
    TooBig,
)

PAGE = 50  # bodies come with the list: a hundred long ones would not fit into one answer
MAX_PAGES = 20_000
OVERLAP_S = 600


class Zendesk:
    """A help center in one language (`locale`: "en-us")."""

    kind: ClassVar[str] = "zendesk"
    options: ClassVar[frozenset[str]] = frozenset({"locale"})

    def __init__(self, place: Place) -> None:
        parts = urlsplit(place.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
            raise SourceError("a help center is named by its host, such as https://example.zendesk.com")
        self._locale = place.options.get("locale", "").lower()
        if self._locale and not re.fullmatch(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*", self._locale):
            raise SourceError("a locale is written like en-us, as in the help center's addresses")
        self._api = f"{place.url.rstrip('/')}/api/v2/help_center"
        self._place = place
        self._headers = None
        if place.secret:
            key = base64.b64encode(f"{place.user}:{place.secret}".encode()).decode()
            self._headers = {"Authorization": f"Basic {key}"}

    def changes(self, cursor: str | None, fetch: Fetch, progress: Progress) -> Iterator[Batch]:
        """See `source.Source`. The cursor holds the time of the last change seen (seconds since 1970) and an ETag."""
        before = read_cursor(cursor)
        told = text(before.get("since"))
        since = int(told) if re.fullmatch(r"\d{1,11}", told) and not self._place.full else None
        if since is None or not self._headers:
            yield from self._listed(fetch, cursor, since, text(before.get("etag")), progress)
        else:
            yield from self._exported(since, fetch, progress)

    def _listed(
        self, fetch: Fetch, cursor: str | None, since: int | None, etag: str, progress: Progress
    ) -> Iterator[Batch]:
        """The list by its cursor pages, the latest changes first: back to `since`, or all of it."""
        path = f"{self._api}/{self._locale}/articles.json" if self._locale else f"{self._api}/articles.json"
        pages = _Pages(path, etag if since is not None else None, since or 0)
        for _ in range(MAX_PAGES):
            try:
                before = pages.etag if not pages.listed else None
                got = fetch(pages.url, accept=JSON, headers=self._headers, etag=before)
            except TooBig:
                if not pages.ask_for_fewer():
                    raise
                continue
            if got.status == 304:
                yield Batch((), cursor)
                return
            answer = as_object(got.body, pages.url)
            fresh = pages.take(_articles(answer, path), got.etag)
            batch = tuple(self._raw(one) for one in fresh if self._place.known.get(str(one["id"])) != _version(one))
            progress(len(pages.listed), None)
            meta = answer.get("meta")
            if not (meta.get("has_more") if isinstance(meta, dict) else answer.get("next_page")):
                break
            if since is not None and pages.reached(since - OVERLAP_S):
                yield Batch(batch, pages.cursor())
                return
            if not fresh:
                raise SourceError(f"{path} leads in a circle: a page brought nothing new")
            yield Batch(batch, cursor)
            pages.url = self._next(answer, pages)
        else:
            raise SourceError(f"{path} has more than {MAX_PAGES} pages")
        if not pages.listed:
            raise SourceError(f"{path} lists no article at all")
        yield Batch(batch, pages.cursor(), frozenset(pages.listed))

    def _next(self, answer: dict[str, Any], pages: "_Pages") -> str:
        """By its link, or by its cursor where the link names another host: a help center may have two names."""
        links, meta = answer.get("links"), answer.get("meta")
        told = text(links.get("next")) if isinstance(links, dict) else text(answer.get("next_page"))
        url = urljoin(self._api, told)
        if urlsplit(url).netloc.lower() == urlsplit(self._api).netloc.lower() and url != self._api:
            return url
        if isinstance(meta, dict) and (after := text(meta.get("after_cursor"))):
            return pages.address(after)
        raise SourceError(f"{self._api} names no next page of its own, though it says there is one")

    def _exported(self, start: int, fetch: Fetch, progress: Progress) -> Iterator[Batch]:
        """What changed, by the incremental export: `end_time` is where the next page, or the next pull, begins."""
        path = f"{self._api}/incremental/articles.json"
        done = 0
        seen: set[str] = set()  # the last of a page comes again with the next
        for _ in range(MAX_PAGES):
            answer = get_json(fetch, f"{path}?{urlencode({'start_time': start})}", self._headers)
            articles = _articles(answer, path)
            fresh = [one for one in articles if f"{one['id']} {_version(one)}" not in seen]
            seen |= {f"{one['id']} {_version(one)}" for one in fresh}
            changes = [self._in_locale(one, fetch) for one in fresh]
            done += len(fresh)
            progress(done, None)
            end = number(answer.get("end_time"))
            more = bool(fresh) and bool(answer.get("next_page")) and end > start
            start = max(start, end)
            yield Batch(tuple(change for change in changes if change), write_cursor(since=str(start)))
            if not more:
                return
        raise SourceError(f"{path} has more than {MAX_PAGES} pages")

    def _in_locale(self, article: dict[str, Any], fetch: Fetch) -> Change | None:
        """The export tells the language an article was written in; ours may be a translation."""
        identity = str(article["id"])
        if self._place.known.get(identity) == _version(article):
            return None
        if not self._locale or text(article.get("locale")).lower() == self._locale:
            return self._raw(article)
        url = f"{self._api}/{self._locale}/articles/{identity}.json"
        try:
            translated = get_json(fetch, url, self._headers).get("article")
        except NotThere:
            return Gone(identity)
        except NotAllowed:  # says nothing of the article; the daily listing shows whether it is there
            return Gone(identity) if self._is_hidden(article) else None
        if not isinstance(translated, dict) or number(translated.get("id")) != article["id"]:
            raise SourceError(f"{url} is no article")
        return self._raw(translated)

    def _raw(self, article: dict[str, Any]) -> Raw:
        """What the company itself published counts as accepted; it names no author to those who may not know."""
        body, changed = text(article.get("body")), moment(article.get("edited_at")) or moment(article.get("updated_at"))
        labels = article.get("label_names")
        answer = RawAnswer(html=body, accepted=True, votes=number(article.get("vote_sum")), created=changed)
        return Raw(
            id=str(article["id"]),
            url=text(article.get("html_url")),
            title=text(article.get("title")) or text(article.get("name")),
            answers=(answer,) if body else (),
            tags=tuple(text(label) for label in labels) if isinstance(labels, list) else (),
            language=text(article.get("locale")) or None,
            created=moment(article.get("created_at")),
            changed=changed,
            closed=bool(article.get("outdated")),
            hidden=self._is_hidden(article),
            solved=True,
            version=_version(article),
        )

    def _is_hidden(self, article: dict[str, Any]) -> bool:
        restricted = article.get("user_segment_id") is not None or bool(article.get("user_segment_ids"))
        return bool(article.get("draft")) or restricted


@dataclass
class _Pages:
    """What turning the pages of the list has shown so far; times are seconds since 1970."""

    path: str
    etag: str | None
    newest: int
    size: int = PAGE
    url: str = ""
    oldest: int = 1 << 40
    ordered: bool = True  # the latest changes first, as asked
    listed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.url = self.address()

    def address(self, after: str = "") -> str:
        """Of the page that follows the cursor `after`."""
        asked = {"page[size]": self.size, "sort_by": "updated_at", "sort_order": "desc"}
        return f"{self.path}?{urlencode(asked | ({'page[after]': after} if after else {}))}"

    def ask_for_fewer(self) -> bool:
        """The same page, half as long, for bodies may hold pictures; False when it was one article already."""
        self.size //= 2
        parts = urlsplit(self.url)
        query = [(name, value) for name, value in parse_qsl(parts.query) if name != "page[size]"]
        self.url = parts._replace(query=urlencode([("page[size]", str(self.size)), *query])).geturl()
        return self.size > 0

    def take(self, articles: list[dict[str, Any]], etag: str | None) -> list[dict[str, Any]]:
        """One page: those of its articles that no page before it had."""
        if not self.listed:
            self.etag = etag
        for article in articles:
            at = _changed_s(article)
            self.ordered, self.oldest = self.ordered and at <= self.oldest, min(self.oldest, at)
            self.newest = max(self.newest, at)
        fresh = [one for one in articles if str(one["id"]) not in self.listed]
        self.listed |= {str(one["id"]) for one in fresh}
        return fresh

    def reached(self, until: int) -> bool:
        """Whether what follows is older than `until`."""
        return self.ordered and self.oldest < until

    def cursor(self) -> str:
        """Where the next pull begins."""
        return write_cursor(since=str(self.newest), etag=self.etag)


def _articles(answer: dict[str, Any], url: str) -> list[dict[str, Any]]:
    if not isinstance(answer.get("articles"), list):
        raise SourceError(f"{url} has no list of articles: is this a Zendesk help center?")
    return [one for one in objects(answer["articles"]) if number(one.get("id")) > 0]


def _version(article: dict[str, Any]) -> str:
    return f"{text(article.get('updated_at'))} {text(article.get('edited_at'))} {text(article.get('locale'))}"[:120]


def _changed_s(article: dict[str, Any]) -> int:
    return int((moment(article.get("updated_at")) or datetime(1970, 1, 1, tzinfo=UTC)).timestamp())
