"""Discourse forums, by their public JSON.

Field names are those of Discourse's serializers (TopicListSerializer, ListableTopicSerializer, TopicViewSerializer,
PostSerializer) and of its plugin discourse-solved: a topic has `accepted_answer` or, since 2026, `accepted_answers`,
a post has `accepted_answer`. A solution does not move a topic up in the list, so it is seen by the daily full listing.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode, urljoin, urlsplit

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
)

BATCH = 25
MAX_PAGES = 20_000
MAX_SKIPPED = 100
MAX_POSTS = 60  # of a topic: the first and the latest, and the accepted one
LOOKED_AFTER = 200  # threads missing from a listing that are asked for one by one before they count as gone
OVERLAP = timedelta(minutes=10)  # their clock and ours; topics that move up while we turn pages
KEY_PER_SECOND = 0.9  # a key may ask 60 times a minute
_LIKE = 2  # PostActionType.types[:like]
_REGULAR = 1  # Post.types[:regular]; others are moderators' notes, small actions and whispers


class Discourse:
    """A forum, or one category of it (`category`: "slug/id" as in its address)."""

    kind: ClassVar[str] = "discourse"
    options: ClassVar[frozenset[str]] = frozenset({"category"})

    def __init__(self, place: Place) -> None:
        parts = urlsplit(place.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SourceError("a Discourse forum is named by its web address, such as https://forum.example.com")
        category = place.options.get("category", "")
        if category and not re.fullmatch(r"[\w%-]+(?:/[\w%-]+)*/\d+", category):
            raise SourceError("a Discourse category is written slug/id, as in its address: support/12")
        self._base = place.url.rstrip("/")
        self._place = place
        self._list = f"{self._base}/c/{category}/l/latest" if category else f"{self._base}/latest"
        self._headers = {"Api-Key": place.secret or "", "Api-Username": place.user or ""} if place.secret else None
        self._etag: str | None = None
        self._restricted: set[int] = set()
        self._categories: set[int] = set()
        self._skipped: list[str] = []

    def changes(self, cursor: str | None, fetch: Fetch, progress: Progress) -> Iterator[Batch]:
        """See `source.Source`. The cursor holds the time of the latest activity seen, and the first page's ETag."""
        before = read_cursor(cursor)
        since = moment(before.get("since"))
        full = self._place.full or since is None
        self._etag = None if full else text(before.get("etag"))
        if self._headers:
            fetch.at_most(urlsplit(self._base).hostname or "", KEY_PER_SECOND)
            self._restricted = _restricted(get_json(fetch, f"{self._base}/site.json", self._headers))
        newest = since
        listed: set[str] = set()
        batch: list[Change] = []
        done = 0
        for topic in self._topics(fetch, None if full or since is None else since - OVERLAP):
            identity, active = str(topic["id"]), moment(topic.get("bumped_at"))
            if identity in listed:
                continue
            newest = max(filter(None, (newest, active)), default=None)
            change = self._change(fetch, identity, _version(topic))
            listed |= set() if isinstance(change, Gone) else {identity}
            done += 1
            progress(done, None)
            batch += [change] if change else []
            if len(batch) >= BATCH:
                yield Batch(tuple(batch), cursor)
                batch = []
        if full:
            if not listed:
                raise SourceError(f"{self._list} lists no topic at all")
            batch += self._missing(fetch, listed)
        after = write_cursor(since=newest.isoformat() if newest else None, etag=self._etag)
        yield Batch(tuple(batch), after, frozenset(listed) if full else None, tuple(self._skipped))

    def _topics(self, fetch: Fetch, until: datetime | None) -> Iterator[dict[str, Any]]:
        """The topics of the list, page by page, those with the latest activity first, back to `until`."""
        url = f"{self._list}.json?{urlencode({'order': 'activity'})}"
        seen: set[str] = set()
        for page in range(MAX_PAGES):
            got = fetch(url, accept=JSON, headers=self._headers, etag=None if page else self._etag)
            if got.status == 304:
                return
            self._etag = self._etag if page else got.etag
            answer = as_object(got.body, url).get("topic_list")
            if not isinstance(answer, dict) or not isinstance(answer.get("topics"), list):
                raise SourceError(f"{self._list}.json has no list of topics: is this a Discourse forum?")
            topics = [topic for topic in objects(answer["topics"]) if number(topic.get("id")) > 0]
            self._categories |= {number(topic.get("category_id")) for topic in topics}
            fresh = [topic for topic in topics if str(topic["id"]) not in seen]
            yield from fresh
            seen |= {str(topic["id"]) for topic in fresh}
            more = text(answer.get("more_topics_url"))
            if not topics or not more or (until and _reaches(topics, until)):
                return
            if not fresh:
                raise SourceError(f"{self._list}.json leads in a circle: a page brought nothing new")
            url = self._page(more)
        raise SourceError(f"{self._list}.json has more than {MAX_PAGES} pages")

    def _page(self, more: str) -> str:
        """`more_topics_url` comes without the .json that makes the answer JSON."""
        parts = urlsplit(urljoin(self._base + "/", more))
        if parts.netloc != urlsplit(self._base).netloc:
            raise SourceError(f"{self._list}.json leads to another site")
        path = parts.path if parts.path.endswith(".json") else f"{parts.path}.json"
        return parts._replace(path=path, fragment="").geturl()

    def _change(self, fetch: Fetch, identity: str, version: str) -> Change | None:
        """The topic if it is another than the one we have. One that is listed and does not let us in stays as it was:
        a guard in front of the forum says so too."""
        if self._place.known.get(identity) == version:
            return None
        try:
            return self._topic(fetch, identity, version)
        except NotThere:
            return Gone(identity)
        except NotAllowed as error:
            if not version:
                return Gone(identity)
            if len(self._skipped) < MAX_SKIPPED:
                self._skipped.append(str(error))
            return None

    def _missing(self, fetch: Fetch, listed: set[str]) -> list[Change]:
        """Topics we have and the list has not: while we turned pages one may have slipped through, so look. Without
        a version: one that does not let us in either is gone."""
        missing = sorted(self._place.known.keys() - listed)
        found: list[Change] = []
        for identity in missing[: LOOKED_AFTER if len(missing) <= LOOKED_AFTER else 0]:
            change = self._change(fetch, identity, "")
            if isinstance(change, Raw):
                listed.add(identity)
                found.append(change)
        return found

    def _topic(self, fetch: Fetch, identity: str, version: str) -> Raw:
        url = f"{self._base}/t/{identity}.json"
        topic = get_json(fetch, url, self._headers)
        stream = topic.get("post_stream")
        if not isinstance(stream, dict) or not text(topic.get("title")):
            raise SourceError(f"{url} is no topic of Discourse's")
        if self._place.options.get("category") and number(topic.get("category_id")) not in self._categories:
            raise NotThere(f"{url} has moved to another category")
        accepted = _accepted(topic)
        posts = self._posts(fetch, identity, stream, accepted)
        if not posts:
            raise SourceError(f"{url} has no posts")
        first = next((post for post in posts if number(post.get("post_number")) == 1), None)
        answers = tuple(_answer(post, accepted) for post in posts if post is not first and _is_answer(post))
        likes = _likes(first) if first else 0
        return Raw(
            id=identity,
            url=f"{self._base}/t/{text(topic.get('slug')) or '-'}/{identity}",
            title=text(topic["title"]),
            question_html=text(first.get("cooked")) if first else "",
            answers=answers,
            author=text(first.get("username")) or None if first else None,
            tags=_tags(topic.get("tags")),
            created=moment(topic.get("created_at")),
            changed=moment(topic.get("last_posted_at")),
            closed=bool(topic.get("closed") or topic.get("archived")),
            hidden=self._is_hidden(topic, first),
            solved=bool(accepted),
            votes=likes,
            version=version,
        )

    def _is_hidden(self, topic: dict[str, Any], first: dict[str, Any] | None) -> bool:
        shown = topic.get("visible") is not False and topic.get("archetype", "regular") in ("regular", "banner")
        gone = bool(topic.get("deleted_at")) or first is None or bool(first.get("hidden"))
        return not shown or gone or number(topic.get("category_id")) in self._restricted

    def _posts(self, fetch: Fetch, identity: str, stream: dict[str, Any], accepted: set[int]) -> list[dict[str, Any]]:
        """The posts of a topic in their order; of a long one the first, the latest and the accepted ones."""
        posts = {number(post.get("id")): post for post in objects(stream.get("posts"))}
        ids = [one for one in stream.get("stream") or () if isinstance(one, int)]
        wanted = ids if len(ids) <= MAX_POSTS else ids[: MAX_POSTS // 2] + ids[-MAX_POSTS // 2 :]
        if rest := [one for one in wanted if one not in posts]:
            url = f"{self._base}/t/{identity}/posts.json?{urlencode([('post_ids[]', one) for one in rest])}"
            answer = get_json(fetch, url, self._headers).get("post_stream")
            more = objects(answer.get("posts")) if isinstance(answer, dict) else []
            if not more:
                raise SourceError(f"{self._base}/t/{identity}/posts.json did not bring the posts it was asked for")
            posts |= {number(post.get("id")): post for post in more}
        for missing in sorted(accepted - {number(post.get("post_number")) for post in posts.values()})[:3]:
            post = get_json(fetch, f"{self._base}/posts/by_number/{identity}/{missing}.json", self._headers)
            posts[number(post.get("id"))] = post
        return sorted(posts.values(), key=lambda post: number(post.get("post_number")))


def _version(topic: dict[str, Any]) -> str:
    """Of all that the list tells and that matters: another one means that the topic is to be read again."""
    names = ("title", "bumped_at", "last_posted_at", "posts_count", "closed", "archived", "visible", "category_id")
    told = [topic.get(name) for name in (*names, "has_accepted_answer")]
    return hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()[:16]


def _reaches(topics: list[dict[str, Any]], until: datetime) -> bool:
    """Whether what follows a page is older; pinned topics come first however old they are, and tell nothing."""
    active = [moment(topic.get("bumped_at")) for topic in topics if not topic.get("pinned")]
    return any(at is not None and at < until for at in active)


def _tags(told: object) -> tuple[str, ...]:
    """Names; since 2026 each tag is an object that has one."""
    tags = told if isinstance(told, list) else []
    return tuple(text(tag.get("name")) if isinstance(tag, dict) else text(tag) for tag in tags)


def _accepted(topic: dict[str, Any]) -> set[int]:
    """The numbers of the posts accepted as answers."""
    one = topic.get("accepted_answer")
    told = objects(topic.get("accepted_answers")) + ([one] if isinstance(one, dict) else [])
    return {number(answer.get("post_number")) for answer in told} - {0, 1}


def _is_answer(post: dict[str, Any]) -> bool:
    hidden = post.get("hidden") or post.get("deleted_at") or post.get("user_deleted")
    return not hidden and number(post.get("post_type")) in (0, _REGULAR)


def _answer(post: dict[str, Any], accepted: set[int]) -> RawAnswer:
    return RawAnswer(
        html=text(post.get("cooked")),
        author=text(post.get("username")) or None,
        votes=_likes(post),
        accepted=number(post.get("post_number")) in accepted or post.get("accepted_answer") is True,
        created=moment(post.get("created_at")),
    )


def _likes(post: dict[str, Any]) -> int:
    actions = objects(post.get("actions_summary"))
    return next((number(action.get("count")) for action in actions if action.get("id") == _LIKE), 0)


def _restricted(site: dict[str, Any]) -> set[int]:
    """The categories that only some may read: our key may see them, callers may not."""
    return {number(one.get("id")) for one in objects(site.get("categories")) if one.get("read_restricted")}
