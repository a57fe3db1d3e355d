"""One thread of a source, cleaned: plain text, bounded, in JSON and back, and made into an article."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from search.article import Article
from search.records import MAX_ANSWERS, MAX_TEXT, MAX_TITLE, Defaults, RecordError, article_from, is_web_address
from search.sources.cleaning import clean_html, clean_line, clean_text, plain
from search.sources.languages import language_of
from search.sources.source import Raw, RawAnswer

MAX_VOTES = 1_000_000_000
MAX_TAGS = 20

_ARTICLE_ID = re.compile(r"[A-Za-z0-9._:-]{1,80}")
_TAG = re.compile(r"\w[^\x00-\x1f\x7f]{0,59}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")


@dataclass(frozen=True)
class Reply:
    """One answer; `created` is ISO 8601, UTC."""

    text: str
    author: str | None
    votes: int
    accepted: bool
    created: str | None


@dataclass(frozen=True)
class Thread:
    """One thread, as the table `threads` holds it; times are ISO 8601, UTC. `replies` are the oldest first."""

    title: str
    question: str
    replies: tuple[Reply, ...]
    url: str
    author: str | None
    licence: str
    tags: tuple[str, ...]
    language: str
    created: str | None
    changed: str | None
    closed: bool
    hidden: bool
    solved: bool
    votes: int

    def as_json(self) -> dict[str, Any]:
        """For the table."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Thread":
        """From the table."""
        replies = tuple(Reply(**reply) for reply in stored["replies"])
        return cls(**{**stored, "replies": replies, "tags": tuple(stored["tags"])})

    def content_hash(self) -> str:
        """Of the words, and of which answer is the accepted one: an approval holds for these."""
        words = [self.title, self.question, [[reply.text, reply.accepted] for reply in self.replies]]
        return hashlib.sha256(json.dumps(words).encode()).hexdigest()


def thread_from(raw: Raw, defaults: Defaults) -> Thread:
    """A thread cleaned, with what holds where it does not say otherwise. Raises `RecordError`."""
    title = clean_line(raw.title[: MAX_TITLE * 20])
    if not title or len(raw.title) > MAX_TITLE * 20 or len(title) > MAX_TITLE:
        raise RecordError(f"has a title longer than {MAX_TITLE} characters" if title else "has no title")
    question = _text(raw.question_html, raw.question_text, raw.url)
    replies = tuple(reply for one in _most_telling(raw.answers) if (reply := _reply(one, raw.url)).text)
    words = " ".join((title, question, *(reply.text for reply in replies[:3])))[:5000]
    said = raw.language if raw.language and _LANGUAGE.fullmatch(raw.language) else None
    return Thread(
        title=title,
        question=question,
        replies=replies,
        url=raw.url if is_web_address(raw.url) and plain(raw.url) == raw.url else "",
        author=_name(raw.author),
        licence=plain(raw.licence)[:200] or defaults.licence,
        tags=tuple(dict.fromkeys(tag for one in raw.tags if _TAG.fullmatch(tag := plain(one[:200]))))[:MAX_TAGS],
        language=re.split("[-_]", said)[0].lower() if said else language_of(words, defaults.language),
        created=_iso(raw.created),
        changed=_iso(raw.changed or raw.created),
        closed=raw.closed,
        hidden=raw.hidden,
        solved=raw.solved or any(reply.accepted for reply in replies),
        votes=_votes(raw.votes),
    )


def _most_telling(answers: tuple[RawAnswer, ...]) -> tuple[RawAnswer, ...]:
    """At most MAX_ANSWERS in their order: the accepted one, the latest (they may dispute it), the first ones."""
    if len(answers) <= MAX_ANSWERS:
        return answers
    wanted = [place for place, answer in enumerate(answers) if answer.accepted][:1]
    wanted += range(len(answers) - MAX_ANSWERS // 2, len(answers))
    wanted += range(len(answers))
    return tuple(answers[place] for place in sorted(list(dict.fromkeys(wanted))[:MAX_ANSWERS]))


def _reply(answer: RawAnswer, url: str) -> Reply:
    text = _text(answer.html, answer.text, url)
    return Reply(text, _name(answer.author), _votes(answer.votes), answer.accepted, _iso(answer.created))


def _text(html: str, text: str, url: str) -> str:
    return (clean_html(html, url) if html else clean_text(text))[:MAX_TEXT].rstrip()


def _name(author: str | None) -> str | None:
    return " ".join(plain(author).split())[:200] or None if author else None


def _votes(votes: int) -> int:
    return max(0, min(votes, MAX_VOTES))


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None


def article_id(source: str, thread_id: str) -> str:
    """The id an article has here, from its source's name and its id there; hashed where that does not fit."""
    whole = f"{source}:{thread_id}"
    if _ARTICLE_ID.fullmatch(whole):
        return whole
    return f"{source}:{hashlib.sha256(thread_id.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def article_of(thread: Thread, identity: str, chosen: Reply, *, name_authors: bool) -> Article:
    """The article of a thread whose answer `chosen` may be trusted. Raises `RecordError`."""
    answers = [
        {"text": reply.text, "author": reply.author, "votes": reply.votes, "accepted": reply is chosen}
        for reply in thread.replies
    ]
    record = {
        "id": identity,
        "title": thread.title,
        "question": thread.question,
        "answers": answers,
        "author": thread.author,
        "votes": thread.votes,
        "url": thread.url,
        "tags": list(thread.tags),
        "language": thread.language,
        "licence": thread.licence,
        "name_authors": name_authors,
    }
    return article_from(record, Defaults())
