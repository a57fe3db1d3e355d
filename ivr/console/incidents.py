"""Incidents: what goes wrong for callers of some leaves, told to them first, until a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from ivr.call.plan import Menu, Plan
from ivr.console.actors import Actor
from ivr.console.errors import Sentence, Wrong, sentence
from ivr.console.switches import wrong_why
from ivr.planfile.problems import Place, Problems
from ivr.planfile.spoken import check_spoken, check_written
from ivr.texts import compose, links
from ivr.wiring import Wiring
from models import audit, incidents
from models.incidents import Incident

MOST_WORDS = 45
LONGEST = timedelta(days=7)
MOST_SEGMENTS = 2
PAST_SHOWN = 50
_HERE = Place(1, 1)


@dataclass(frozen=True)
class Wanted:
    """An incident to begin. `leaves` None: every caller; `until` None: not said, or not understood."""

    message: Mapping[str, str]
    news: Mapping[str, str]
    leaves: Sequence[str] | None
    until: datetime | None
    why: str


@dataclass(frozen=True)
class Branch:
    """A line of the menu as a tree to tick: a menu (`leaf` None) or a leaf, `depth` steps in. `path` leads there."""

    path: str
    label: str
    depth: int
    leaf: str | None


def begin(conn: Connection, wiring: Wiring, by: Actor, wanted: Wanted) -> int:
    """Tell callers from now on, within one turn of each call; the incident's number. Raises Wrong."""
    plan, now = wiring.plans.live(conn), wiring.clock()
    wanted = _trimmed(wanted)
    problems = _problems(wiring, plan, wanted, now)
    if problems or wanted.until is None:
        raise Wrong(problems)
    with conn.transaction():
        number = incidents.start(
            conn, message=wanted.message, news=wanted.news, leaves=wanted.leaves, starts_at=now, until=wanted.until,
            who=by.name, why=wanted.why,
        )  # fmt: skip
        after = _shown(wanted)
        audit.note(
            conn, who=by.key, what="incident.start", on=f"incident {number}", after=after, why=wanted.why, at=now
        )
    wiring.announce("incident")
    return number


def end(conn: Connection, wiring: Wiring, by: Actor, number: int, why: str) -> None:
    """Tell nobody any more, before its time. Raises Wrong, also for one that is over already."""
    why, now = why.strip(), wiring.clock()
    if problems := wrong_why(why):
        raise Wrong(problems)
    with conn.transaction():
        was = incidents.read(conn, number)
        if was is None or not incidents.end(conn, number, who=by.name, why=why, at=now):
            raise Wrong({"": sentence("This incident is over already.")})
        audit.note(
            conn, who=by.key, what="incident.end", on=f"incident {number}", before={"until": was.until.isoformat()},
            after={"until": now.isoformat()}, why=why, at=now,
        )  # fmt: skip
    wiring.announce("incident")


def listed(conn: Connection, now: datetime) -> tuple[list[Incident], list[Incident]]:
    """(those of now, the latest of those that are over), newest first."""
    latest = incidents.latest(conn, PAST_SHOWN)
    current = incidents.current(conn, now)
    return current, [one for one in latest if not one.current(now)]


def branches(plan: Plan, language: str) -> list[Branch]:
    """The menu as lines to tick, in menu order."""
    found: list[Branch] = []

    def visit(menu: Menu, path: tuple[str, ...]) -> None:
        for choice in menu.choices:
            here = (*path, choice.id)
            label = choice.label.get(language) or next(iter(choice.label.values()))
            found.append(Branch("/".join(here), label, len(path), choice.leaf.id if choice.leaf else None))
            if choice.menu is not None:
                visit(choice.menu, here)

    visit(plan.main, ())
    return found


def leaves_below(plan: Plan, paths: Sequence[str]) -> list[str]:
    """The ids of the leaves at these paths ("internet/slow") and below them, in menu order."""
    return [
        leaf.id
        for path, leaf in plan.leaves().values()
        if any("/".join(path[:n]) in paths for n in range(1, len(path) + 1))
    ]


def _trimmed(wanted: Wanted) -> Wanted:
    def words(given: Mapping[str, str]) -> dict[str, str]:
        return {code: " ".join(said.split()) for code, said in given.items() if said.strip()}

    return Wanted(words(wanted.message), words(wanted.news), wanted.leaves, wanted.until, wanted.why.strip())


def _problems(wiring: Wiring, plan: Plan, wanted: Wanted, now: datetime) -> dict[str, Sentence | str]:
    """By field: `message-en`, `news-en`, `leaves`, `until`, `why`."""
    problems: dict[str, Sentence | str] = {}
    for language in plan.languages:
        code = language.code
        if problem := _wrong_message(wanted.message.get(code, "")):
            problems[f"message-{code}"] = problem
        if wanted.news and (problem := _wrong_news(wiring, plan, code, wanted.news.get(code, ""))):
            problems[f"news-{code}"] = problem
    if problem := _wrong_leaves(plan, wanted.leaves):
        problems["leaves"] = problem
    if problem := _wrong_until(wanted.until, now):
        problems["until"] = problem
    return problems | wrong_why(wanted.why)


def _wrong_message(words: str) -> Sentence | str | None:
    if not words:
        return sentence("Callers of this language hear nothing: write what is wrong and what you do about it.")
    found = Problems()
    check_spoken(words, _HERE, _called(words), found)
    if found.all():
        return _said(found)
    if len(words.split()) > MOST_WORDS:
        return sentence(
            "This takes %(words)s words to say; at most %(most)s.", words=len(words.split()), most=MOST_WORDS
        )
    return None


def _wrong_news(wiring: Wiring, plan: Plan, code: str, words: str) -> Sentence | str | None:
    if not words:
        return sentence("Write it in every language, or in none: then no text is offered.")
    found = Problems()
    check_written(words, _HERE, _called(words), found)
    if found.all():
        return _said(found)
    link = links.url(wiring.settings.link_base_url, "0" * links.TOKEN_LENGTH)
    segments = compose.news_text(plan, code, news=words, link=link).segments
    if segments > MOST_SEGMENTS:
        return sentence("This makes a text of %(n)s parts; at most %(most)s.", n=segments, most=MOST_SEGMENTS)
    return None


def _called(words: str) -> str:
    """How a finding calls the words it is about."""
    return f"'{words[:30]}'" if len(words) <= 30 else f"'{words[:30]}...'"


def _said(found: Problems) -> Sentence:
    first = found.all()[0]
    return sentence("%(what)s. %(do)s", what=Sentence(first.what), do=Sentence(first.do))


def _wrong_leaves(plan: Plan, leaves: Sequence[str] | None) -> Sentence | None:
    if leaves is None:
        return None
    if not leaves:
        return sentence("Tick the leaves it concerns, or all callers.")
    unknown = [one for one in leaves if one not in plan.leaves()]
    return sentence("The menu has no leaf '%(leaf)s'.", leaf=unknown[0][:64]) if unknown else None


def _wrong_until(until: datetime | None, now: datetime) -> Sentence | None:
    if until is None:
        return sentence("Say until when callers should hear it; you can end it sooner.")
    if until <= now:
        return sentence("This time has passed.")
    if until > now + LONGEST:
        return sentence("At most %(days)s days; begin it anew if it lasts.", days=LONGEST.days)
    return None


def _shown(wanted: Wanted) -> dict[str, Any]:
    return {
        "message": dict(wanted.message),
        "news": dict(wanted.news),
        "leaves": None if wanted.leaves is None else list(wanted.leaves),
        "until": wanted.until.isoformat() if wanted.until else None,
    }
