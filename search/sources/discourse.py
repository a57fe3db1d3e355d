"""Discourse forums, by their public JSON.

Field names are those of Discourse's serializers (TopicListSerializer, ListableTopicSerializer, TopicViewSerializer,
PostSerializer) and of its plugin discourse-solved: a topic has `accepted_answer` or, since 2026, `accepted_answers`,
a post has `accepted_answer`. A solution does not move a topic up in the list, so it is seen by the daily full listing.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

from search.sources.discourse_list import TopicList
from search.sources.payload import get_json, moment, number, objects, read_cursor, text, write_cursor
from search.sources.source import (
    Batch,
    Change,
    Fetch,
    Gone,
    NotAllowed,
    NotThere,
    Paused,
    Place,
    Progress,
    Raw,
    RawAnswer,
    SourceError,
)

BATCH = 25
MAX_SKIPPED = 100
MAX_FAILED = 5  # topics in a row that cannot be read: then it is the forum, not a topic
TRIED_AGAIN = timedelta(days=1)  # a topic that cannot be read, by each pull; later by those that list everything
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
        self._restricted: set[int] = set()
        self._categories: set[int] = set()
        self._skipped: list[str] = []
        self._unread: list[datetime] = []  # the last activity of topics that could not be read
        self._problem: SourceError | None = None  # of the last of those
        self._failed = 0  # of those in a row
        self._fine = False  # some topic was read, or is as it was

    def changes(self, cursor: str | None, fetch: Fetch, progress: Progress) -> Iterator[Batch]:
        """See `source.Source`. The cursor holds the time of the latest activity seen, and the first page's ETag."""
        before = read_cursor(cursor)
        since = moment(before.get("since"))
        full = self._place.full or since is None
        topics = TopicList(self._base, self._list, self._headers, None if full else text(before.get("etag")))
        self._categories = topics.categories
        if self._headers:
            fetch.at_most(urlsplit(self._base).hostname or "", KEY_PER_SECOND)
            self._restricted = _restricted(get_json(fetch, f"{self._base}/site.json", self._headers))
        newest = since
        listed: set[str] = set()
        batch: list[Change] = []
        done = 0
        for topic in topics.topics(fetch, None if full or since is None else since - OVERLAP):
            identity, active = str(topic["id"]), moment(topic.get("bumped_at"))
            if identity in listed:
                continue
            newest = max(filter(None, (newest, active)), default=None)
            change = self._change(fetch, identity, _version(topic), active)
            listed |= set() if isinstance(change, Gone) else {identity}
            done += 1
            progress(done, None)
            batch += [change] if change else []
            if len(batch) >= BATCH:
                yield Batch(tuple(batch), cursor)
                batch = []
        if self._problem and not self._fine:
            raise self._problem
        if topics.whole:
            batch += self._missing(fetch, listed)
        skipped = (*topics.unreadable, *self._skipped[:MAX_SKIPPED])
        after = self._cursor(newest, None if skipped else topics.etag)
        yield Batch(tuple(batch), after, frozenset(listed) if topics.whole else None, skipped)

    def _cursor(self, newest: datetime | None, etag: str | None) -> str:
        """Where the next pull begins: not after a topic that could not be read, while that is new."""
        recent = [at for at in self._unread if newest and at > newest - TRIED_AGAIN]
        since = min([newest, *recent]) if newest else None
        return write_cursor(since=since.isoformat() if since else None, etag=etag)

    def _change(self, fetch: Fetch, identity: str, version: str, active: datetime | None = None) -> Change | None:
        """The topic if it is another than the one we have. One that is listed and cannot be read, or does not let us
        in (a guard in front of the forum says so too), stays as it was."""
        try:
            change = None if self._place.known.get(identity) == version else self._topic(fetch, identity, version)
        except NotThere:
            return Gone(identity)
        except Paused:
            raise
        except SourceError as error:
            refused = isinstance(error, NotAllowed)
            if refused and not version:
                return Gone(identity)
            self._problem = error
            self._skipped.append(str(error))
            self._unread += [active] if active and not refused else []
            self._failed += not refused
            if self._failed > MAX_FAILED:
                raise
            return None
        self._fine = True
        self._failed = 0 if change else self._failed
        return change

    def _missing(self, fetch: Fetch, listed: set[str]) -> list[Change]:
        """Topics we have and the list has not: while we turned pages one may have slipped through, so look. Without
        a version: one that does not let us in either is gone."""
        missing = sorted(self._place.known.keys() - listed)
        found: list[Change] = []
        for identity in missing[: LOOKED_AFTER if len(missing) <= LOOKED_AFTER else 0]:
            change = self._change(fetch, identity, "")
            if not isinstance(change, Gone):
                listed.add(identity)
                found += [change] if change else []
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
            solved=any(answer.accepted for answer in answers),
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
        told = stream.get("stream")
        ids = [one for one in told if isinstance(one, int)] if isinstance(told, list) else []
        wanted = ids if len(ids) <= MAX_POSTS else ids[: MAX_POSTS // 2] + ids[-MAX_POSTS // 2 :]
        if rest := [one for one in wanted if one not in posts]:
            url = f"{self._base}/t/{identity}/posts.json?{urlencode([('post_ids[]', one) for one in rest])}"
            answer = get_json(fetch, url, self._headers).get("post_stream")
            more = objects(answer.get("posts")) if isinstance(answer, dict) else []
            if not more:
                raise SourceError(f"{self._base}/t/{identity}/posts.json did not bring the posts it was asked for")
            posts |= {number(post.get("id")): post for post in more}
        for missing in sorted(accepted - {number(post.get("post_number")) for post in posts.values()})[:3]:
            with suppress(NotThere, NotAllowed):  # deleted, though it still counts as the answer
                post = get_json(fetch, f"{self._base}/posts/by_number/{identity}/{missing}.json", self._headers)
                posts[number(post.get("id"))] = post
        return sorted(posts.values(), key=lambda post: number(post.get("post_number")))


def _version(topic: dict[str, Any]) -> str:
    """Of all that the list tells and that matters: another one means that the topic is to be read again."""
    names = ("title", "bumped_at", "last_posted_at", "posts_count", "closed", "archived", "visible", "category_id")
    told = [topic.get(name) for name in (*names, "has_accepted_answer")]
    return hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()[:16]


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
