"""The list of a Discourse forum's topics, page by page, those with the latest activity first."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from search.sources.payload import JSON, as_object, moment, number, objects, text
from search.sources.source import Fetch, SourceError, TooBig

MAX_PAGES = 20_000
PER_PAGE = 30  # what Discourse gives unless asked for another number
MAX_HUGE = 3  # topics too big to be listed, in one pull
Topic = dict[str, Any]


class TopicList:
    """One walk through a list; `address` is without its ".json". What it saw is told by its attributes."""

    def __init__(self, base: str, address: str, headers: Mapping[str, str] | None, etag: str | None) -> None:
        self._base = base
        self._address = address
        self._headers = headers
        self.etag = etag  # of the first page: the one before, then the one of now
        self.categories: set[int] = set()
        self.unreadable: list[str] = []  # what was left out, and why
        self.whole = False  # it was read to its end

    def topics(self, fetch: Fetch, until: datetime | None) -> Iterator[Topic]:
        """The topics with activity since `until`, at least; none when the first page is the same as before."""
        url = f"{self._address}.json?{urlencode({'order': 'activity'})}"
        seen: set[str] = set()
        size = PER_PAGE
        for page in range(MAX_PAGES):
            try:
                got = fetch(url, accept=JSON, headers=self._headers, etag=None if page else self.etag)
                if got.status == 304:
                    return
                self.etag = self.etag if page else got.etag
                topics, more = self._read(got.body, url)
                size = len(topics) or size
            except TooBig as error:
                self.etag = self.etag if page else None
                topics, more = self._one_by_one(fetch, url, size, error)
            self.categories |= {number(topic.get("category_id")) for topic in topics}
            fresh = [topic for topic in topics if str(topic["id"]) not in seen]
            yield from fresh
            seen |= {str(topic["id"]) for topic in fresh}
            if not topics and not page:
                raise SourceError(f"{self._address} lists no topic at all")
            self.whole = not topics or not more
            if self.whole or (until and _reaches(topics, until)):
                return
            if not fresh:
                raise SourceError(f"{self._address}.json leads in a circle: a page brought nothing new")
            url = self._page(more)
        raise SourceError(f"{self._address}.json has more than {MAX_PAGES} pages")

    def _read(self, body: bytes, url: str) -> tuple[list[Topic], str]:
        """The topics of a page, and where it says that the next one is."""
        answer = as_object(body, url).get("topic_list")
        if not isinstance(answer, dict) or not isinstance(answer.get("topics"), list):
            raise SourceError(f"{self._address}.json has no list of topics: is this a Discourse forum?")
        topics = [topic for topic in objects(answer["topics"]) if number(topic.get("id")) > 0]
        return topics, text(answer.get("more_topics_url"))

    def _one_by_one(self, fetch: Fetch, url: str, size: int, too_big: TooBig) -> tuple[list[Topic], str]:
        """A page that is too big, each of its topics asked for alone: so only the huge one is left out. Raises
        `TooBig` when there are many of them, or the server gives pages of its own size only."""
        told = re.search(r"[?&]page=([0-9]{1,6})(?:&|$)", url)
        page = int(told[1]) if told else 0
        topics: list[Topic] = []
        huge: list[str] = []
        for place in range(page * size, (page + 1) * size):
            one = f"{self._address}.json?{urlencode({'order': 'activity', 'per_page': 1, 'page': place})}"
            try:
                found, _ = self._read(fetch(one, accept=JSON, headers=self._headers).body, one)
            except TooBig as error:
                huge.append(f"topic {place + 1} of the list, by activity: {error}")
                if len(self.unreadable) + len(huge) > MAX_HUGE:
                    raise
                continue
            if len(found) > 1:
                raise too_big
            if not found:
                break
            topics += found
        self.unreadable += huge
        return topics, f"{self._address}?{urlencode({'order': 'activity', 'page': page + 1})}"

    def _page(self, more: str) -> str:
        """`more_topics_url` comes without the .json that makes the answer JSON."""
        parts = urlsplit(urljoin(self._base + "/", more))
        if parts.netloc != urlsplit(self._base).netloc:
            raise SourceError(f"{self._address}.json leads to another site")
        path = parts.path if parts.path.endswith(".json") else f"{parts.path}.json"
        return parts._replace(path=path, fragment="").geturl()


def _reaches(topics: list[Topic], until: datetime) -> bool:
    """Whether what follows a page is older; pinned topics come first however old they are, and tell nothing."""
    active = [moment(topic.get("bumped_at")) for topic in topics if not topic.get("pinned")]
    return any(at is not None and at < until for at in active)
