"""Articles: found, read with what callers did with them, edited, withdrawn and brought back."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import Connection

from ivr.call.plan import Plan
from ivr.console.actors import Actor
from ivr.console.errors import Conflict, Missing, Sentence, Wrong, sentence
from ivr.console.intervals import Share, share
from ivr.console.switches import wrong_why
from ivr.texts import compose, links
from ivr.texts.smsable import smsable
from ivr.wiring import Wiring
from models import article_lists, articles, audit, counts, edits, sources, threads
from models.article_lists import Kept, Listed, Place, Wanted
from models.counts import ArticleCalls
from models.edits import Edit
from search.article import Article
from search.records import MAX_TITLE, RecordError
from search.sources.thread import Thread, article_of
from search.sources.trust import chosen
from search.speakable import MAX_SHORT_WORDS, MIN_SHORT_WORDS, speakable, spoken_title

ON_A_PAGE = 50
LATELY = timedelta(days=28)
STALE = timedelta(days=365)  # nobody wrote to the thread for so long
STATES = {"live": sentence("live"), "lapsed": sentence("lapsed"), "withdrawn": sentence("withdrawn")}
MOST_SHORT_LETTERS = 400
MOST_TITLE_LETTERS = 200
_SAMPLE_TOKEN = "a1B2c3D4e5F"  # as long as a real one


@dataclass(frozen=True, slots=True)
class Did:
    """What callers did with an article. A share is one of those who could."""

    offered: int
    taken: Share  # of those it was offered to
    opened: Share  # of those who took it
    solved: Share
    not_solved: Share
    back: Share  # within 7 days, of those it was offered to
    heard: int


@dataclass(frozen=True, slots=True)
class Line:
    """An article of a list."""

    article: Listed
    did: Did | None


@dataclass(frozen=True)
class Found:
    """A page of a list; `after`: where the next one begins, None: there is none."""

    lines: tuple[Line, ...]
    after: Place | None


@dataclass(frozen=True, slots=True)
class Text:
    """A text as it would go out. `title`: what is left of the title in it."""

    body: str
    segments: int
    title: str
    discreet: str


@dataclass(frozen=True, slots=True)
class At:
    """A leaf of the live menu this article has to do with. `how`: pinned, forbidden, or "" where it was only found."""

    leaf: str
    labels: tuple[str, ...]
    how: str
    calls: int


@dataclass(frozen=True)
class View:
    """One article, all of it. `edit` None: not edited; `holds`: the edit is for the answer it has now."""

    article: Article
    kept: Kept
    edit: Edit | None
    holds: bool
    did: Did
    at: tuple[At, ...]
    text: Text | None
    source_synced_at: datetime | None
    source_there: bool

    @property
    def short(self) -> str | None:
        """What is read to callers."""
        return (self.edit.short if self.edit and self.holds else None) or self.article.short

    @property
    def title(self) -> str:
        """What the text and the offer call it."""
        return (self.edit.title if self.edit and self.holds else None) or self.article.title


# ---- looking


def find(conn: Connection, wiring: Wiring, wanted: Wanted, after: Place | None, limit: int = ON_A_PAGE) -> Found:
    """A page of articles, those offered most often in the last 28 days first."""
    did = _did(conn, wiring)
    offered = {one.article: one.offered for one in did.values() if one.offered}
    rows = article_lists.page(conn, wanted, offered, after, limit + 1)
    lines = tuple(Line(row, _shares(did[row.id]) if row.id in did else None) for row in rows[:limit])
    last = rows[limit - 1] if len(rows) > limit else None
    return Found(lines, Place(last.offered, last.id) if last else None)


def view(conn: Connection, wiring: Wiring, article_id: str, language: str) -> View:
    """One article. Raises Missing."""
    article, kept = articles.read(conn, article_id), article_lists.kept(conn, article_id)
    if article is None or kept is None:
        raise Missing(f"there is no article {article_id}")
    edit = edits.read(conn, article_id)
    holds = edit is not None and edit.answer_hash == kept.answer_hash
    did = _did(conn, wiring).get(article_id)
    try:
        plan: Plan | None = wiring.plans.live(conn)
    except LookupError:
        plan = None
    source = sources.read(conn, kept.source)
    title = (edit.title if edit and holds else None) or article.title
    return View(
        article=article,
        kept=kept,
        edit=edit,
        holds=holds,
        did=_shares(did or ArticleCalls(article_id, *[0] * 7)),
        at=_at(conn, wiring, plan, article_id, language) if plan else (),
        text=preview(wiring, plan, article.language, title) if plan else None,
        source_synced_at=source.synced_at if source else None,
        source_there=source is not None,
    )


def _did(conn: Connection, wiring: Wiring) -> Mapping[str, ArticleCalls]:
    return {one.article: one for one in counts.articles(conn, (wiring.clock() - LATELY).date())}


def _shares(one: ArticleCalls) -> Did:
    return Did(
        offered=one.offered,
        taken=share(one.taken, one.offered),
        opened=share(one.opened, one.taken),
        solved=share(one.solved, one.taken),
        not_solved=share(one.not_solved, one.taken),
        back=share(one.back, one.offered),
        heard=one.heard,
    )


def _at(conn: Connection, wiring: Wiring, plan: Plan, article_id: str, language: str) -> tuple[At, ...]:
    calls = dict(article_lists.leaves(conn, article_id, wiring.clock() - LATELY))
    found = []
    for leaf_id, (path, leaf) in plan.leaves().items():
        pinned = any(article_id in ids for ids in leaf.pinned.values())
        how = "pinned" if pinned else "forbidden" if article_id in leaf.forbidden else ""
        if how or leaf_id in calls:
            found.append(At(leaf_id, plan.labels(path, language), how, calls.get(leaf_id, 0)))
    return tuple(sorted(found, key=lambda one: (-one.calls, one.leaf)))


def preview(wiring: Wiring, plan: Plan, language: str, title: str) -> Text | None:
    """The text with the link to an article of this title; None where the menu has not the language."""
    if language not in [one.code for one in plan.languages]:
        return None
    link = links.url(wiring.settings.link_base_url, _SAMPLE_TOKEN)
    body = compose.link_text(plan, language, title=title, link=link, discreet=False)
    discreet = compose.link_text(plan, language, title=title, link=link, discreet=True)
    return Text(body.body, body.segments, smsable(title), discreet.body)


# ---- editing


@dataclass(frozen=True, slots=True)
class Subject:
    """What can be edited: an article, or a thread that may become one. `answer_hash` tells its accepted answer."""

    id: str
    title: str
    short: str | None
    language: str
    answer_hash: str


@dataclass(frozen=True, slots=True)
class Rewording:
    """What somebody wants instead; "" takes what was imported. `seen`: the answer's hash they had before them."""

    short: str
    title: str
    seen: str
    why: str


def subject(conn: Connection, article_id: str) -> Subject:
    """The article, or the thread that waits to become one. Raises Missing."""
    kept = article_lists.kept(conn, article_id)
    if kept is not None:
        article = articles.read(conn, article_id)
        assert article is not None
        return Subject(article_id, article.title, kept.short, article.language, kept.answer_hash)
    waiting = threads.waiting_one(conn, article_id)
    made = as_article(Thread.from_json(waiting.thread), article_id) if waiting else None
    if made is None:
        raise Missing(f"there is no article {article_id}")
    return Subject(article_id, made.title, made.short, made.language, answer_hash(made))


def as_article(thread: Thread, article_id: str) -> Article | None:
    """The article a thread would be; None where its text is unfit."""
    answer = chosen(thread)
    try:
        return article_of(thread, article_id, answer, name_authors=False) if answer else None
    except RecordError:
        return None


def answer_hash(article: Article) -> str:
    """As the database makes it for a stored article."""
    text = article.accepted.text if article.accepted else ""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def edit(conn: Connection, wiring: Wiring, by: Actor, article_id: str, wanted: Rewording) -> None:
    """Keep another short version or title than the imported ones: heard from the next search on, through every import
    and sync, as long as the accepted answer stays the same. Raises Missing, Wrong; Conflict when that changed."""
    about, now = subject(conn, article_id), wiring.clock()
    short, title = " ".join(wanted.short.split()), " ".join(wanted.title.split())
    problems = wrong_short(short) | wrong_title(title) | wrong_why(wanted.why.strip())
    if problems:
        raise Wrong(problems)
    if wanted.seen != about.answer_hash:
        raise Conflict({"": sentence("The accepted answer has changed meanwhile. Read it again, then edit.")})
    after = Edit(
        None if short in ("", about.short) else short,
        None if title in ("", about.title) else title,
        about.answer_hash,
        by.name,
        now,
    )
    with conn.transaction():
        before = edits.read(conn, article_id)
        edits.put(conn, article_id, after)
        _note(conn, by, "article.edit", article_id, _told(before), _told(after), wanted.why, now)


def _told(one: Edit | None) -> dict[str, str | None]:
    return {"short": one.short if one else None, "title": one.title if one else None}


def wrong_short(short: str) -> dict[str, Sentence | str]:
    """What keeps a short version from being read to callers; "" is none of our own."""
    if not short:
        return {}
    if len(short.split()) > MAX_SHORT_WORDS or len(short) > MOST_SHORT_LETTERS:
        return {"short": sentence("At most %(most)s words: nobody remembers more on the phone.", most=MAX_SHORT_WORDS)}
    if len(short.split()) < MIN_SHORT_WORDS:
        return {"short": sentence("At least %(least)s words, so that it helps.", least=MIN_SHORT_WORDS)}
    for one in re.split(r"(?<=[.!?])\s+", short):
        if not speakable(one):
            return {
                "short": sentence(
                    "This cannot be read aloud: “%(words)s”. Leave out links, addresses, code, symbols, long numbers,"
                    " other scripts, and what points to something only a reader sees (above, this link, screenshot).",
                    words=one[:120],
                )
            }
    return {}


def wrong_title(title: str) -> dict[str, Sentence | str]:
    """What keeps a title from being said and texted; "" is none of our own."""
    if not title:
        return {}
    if len(title) > min(MOST_TITLE_LETTERS, MAX_TITLE):
        return {"title": sentence("At most %(most)s letters, please.", most=MOST_TITLE_LETTERS)}
    if not spoken_title(title) or not smsable(title):
        return {"title": sentence("Nothing of this can be said and texted. Use words, no links or symbols.")}
    return {}


# ---- withdrawing


def withdraw(conn: Connection, wiring: Wiring, by: Actor, article_ids: Sequence[str], why: str) -> list[str]:
    """Offer and show these no more, from the next turn of every call on, whatever is imported. The ids it changed.
    Raises Wrong."""
    if problems := wrong_why(why.strip()):
        raise Wrong(problems)
    with conn.transaction():
        gone = articles.withdraw(conn, article_ids)
        for one in gone:
            _note(conn, by, "article.withdraw", one, {"withdrawn": False}, {"withdrawn": True}, why, wiring.clock())
    wiring.announce("articles")
    return gone


def restore(conn: Connection, wiring: Wiring, by: Actor, article_ids: Sequence[str], why: str) -> list[str]:
    """Take a withdrawal back. What its source does not give any more, or may not, only lapses. The ids it changed.
    Raises Wrong."""
    if problems := wrong_why(why.strip()):
        raise Wrong(problems)
    with conn.transaction():
        back = articles.restore(conn, article_ids)
        held = [one for one in back if (thread := threads.waiting_one(conn, one)) is not None and thread.refusal]
        articles.lapse(conn, held)
        for one in back:
            _note(conn, by, "article.restore", one, {"withdrawn": True}, {"withdrawn": False}, why, wiring.clock())
    wiring.announce("articles")
    return back


def _note(
    conn: Connection,
    by: Actor,
    what: str,
    article_id: str,
    before: object,
    after: object,
    why: str,
    at: datetime,
) -> None:
    audit.note(
        conn, who=by.key, what=what, on=f"article {article_id}", before=before, after=after, why=why.strip(), at=at
    )
