"""Mapping: for each leaf the articles callers get now, by the path alone and by what they say most often there."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from ivr.call.effects import Search
from ivr.call.joining import search_at
from ivr.call.plan import Leaf, Plan
from ivr.console import callers, menus
from ivr.console.actors import Actor
from ivr.console.callers import Caller
from ivr.console.errors import Missing, Wrong, sentence
from ivr.finding import by_pin, by_search
from ivr.menu_paths import query_of
from ivr.planfile import editing
from ivr.wiring import Wiring
from models import articles, counts, drafts, studies
from models.studies import Outcome, Study

MOST_SENTENCES = 5  # of a leaf in each language
SHOWN = 4  # candidates of each question
LATELY = timedelta(days=28)
TELL_EVERY = 25


@dataclass(frozen=True, slots=True)
class Looked:
    """A candidate: its verdict (`ivr.console.reasons`; "pinned") and the chance that it solves the problem."""

    article: str
    verdict: str
    chance: float


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked at a leaf: by the path alone (`words` "") or by what so many callers said."""

    language: str
    words: str
    calls: int
    reason: str | None  # why nothing is offered
    gate: float | None
    candidates: tuple[Looked, ...]

    @property
    def article(self) -> str | None:
        """What is offered."""
        return self.candidates[0].article if self.reason is None and self.candidates else None


@dataclass(frozen=True)
class LeafView:
    """One leaf. `calls` and `nothing` are of the last 28 days: those that came here, and those found nothing."""

    leaf: Leaf
    labels: tuple[str, ...]
    calls: int
    nothing: int
    why: str | None  # the commonest reason
    questions: tuple[Question, ...]

    @property
    def by_path(self) -> tuple[Question, ...]:
        """What the path alone finds, in each language."""
        return tuple(one for one in self.questions if not one.words)


@dataclass(frozen=True)
class Mapped:
    """All leaves of the live menu, those that find nothing for most callers first. `study` None: never worked out;
    `running`: it is being worked out anew."""

    leaves: tuple[LeafView, ...]
    study: Study | None
    running: Study | None
    titles: Mapping[str, str]
    outdated: bool


# ---- looking


def look(conn: Connection, wiring: Wiring, language: str) -> Mapped:
    """The mapping as it was worked out last. Raises LookupError before the first publication."""
    plan = wiring.plans.live(conn)
    study, newest = studies.latest(conn, studies.MAPPING, state="done"), studies.latest(conn, studies.MAPPING)
    known = _questions(wiring, study)
    since = (wiring.clock() - LATELY).date()
    came = counts.leaves(conn, since)
    missed: dict[str, Counter[str]] = {}
    for one in counts.nothing_found(conn, since):
        if one.refusal != "never_offer":
            missed.setdefault(one.leaf, Counter())[one.refusal] += one.calls
    views = []
    for path, leaf in plan.leaves().values():
        reasons = missed.get(leaf.id, Counter())
        why = reasons.most_common(1)[0][0] if reasons else None
        here = came[leaf.id].calls if leaf.id in came else 0
        questions = known.get(leaf.id, ())
        views.append(LeafView(leaf, plan.labels(path, language), here, reasons.total(), why, questions))
    ids = {one.article for view in views for asked in view.questions for one in asked.candidates}
    pinned = {one for view in views for of_language in view.leaf.pinned.values() for one in of_language}
    titles = articles.titles(conn, ids | pinned | {one for view in views for one in view.leaf.forbidden})
    outdated = study is not None and (study.plan_version, study.index_version) != (plan.version, wiring.finders.version)
    order = sorted(views, key=lambda view: (-view.nothing, -view.calls))
    return Mapped(tuple(order), study, newest if newest and newest.is_open else None, titles, outdated)


def leaf_view(mapped: Mapped, leaf_id: str) -> LeafView:
    """One leaf of it. Raises Missing."""
    found = next((one for one in mapped.leaves if one.leaf.id == leaf_id), None)
    if found is None:
        raise Missing(f"there is no leaf {leaf_id}")
    return found


def _questions(wiring: Wiring, study: Study | None) -> dict[str, tuple[Question, ...]]:
    if study is None or study.words is None:
        return {}
    try:
        kept: dict[str, list[dict[str, Any]]] = json.loads(wiring.numbers.open(study.words))
    except ValueError:  # sealed under a key that is gone
        return {}
    return {leaf: tuple(_question(one) for one in rows) for leaf, rows in kept.items()}


def _question(row: dict[str, Any]) -> Question:
    return Question(**{**row, "candidates": tuple(Looked(**one) for one in row["candidates"])})


def ask(conn: Connection, wiring: Wiring, by: Actor) -> int:
    """Have it worked out anew; gives the study's id. Raises Wrong."""
    try:
        wiring.plans.live(conn)
    except LookupError:
        raise Wrong({"": sentence("No menu is published yet.")}) from None
    return studies.ask(conn, studies.MAPPING, by.name, wiring.clock(), calls=studies.MAPPING_CALLS)


# ---- changing a draft


@dataclass(frozen=True)
class Change:
    """What is changed at a leaf. `how`: pin, unpin, forbid, allow (with `article`), tags (with `tags`), never, ever."""

    leaf: str
    how: str
    article: str = ""
    tags: tuple[str, ...] = ()


def change(
    conn: Connection, wiring: Wiring, by: Actor, draft_id: int | None, revision: int | None, wanted: Change
) -> tuple[int, menus.Saved]:
    """Change one leaf of a draft (None: of a new one, made of the live menu); gives the draft and its new revision.

    Raises Missing, Wrong, SetAside.
    """
    language = ""
    if wanted.how in ("pin", "unpin", "forbid", "allow"):
        article = articles.read(conn, wanted.article)
        if article is None and wanted.how in ("pin", "forbid"):
            raise Wrong({"article": sentence("There is no such article.")})
        language = article.language if article else ""
    if draft_id is None:
        draft_id = menus.begin(conn, wiring, by, "Mapping")
    if revision is None:
        draft = drafts.read(conn, draft_id)
        if draft is None:
            raise Missing(f"there is no draft {draft_id}")
        revision = draft.revision
    edit = _edit(conn, draft_id, revision, wanted, language)
    return draft_id, menus.edit(conn, wiring, by, draft_id, revision, edit)


def _edit(conn: Connection, draft_id: int, revision: int, wanted: Change, language: str) -> Callable[[str], str]:
    text = drafts.text_of(conn, draft_id, revision)
    plan = menus.reading(text).plan if text is not None else None
    leaf = plan.leaves().get(wanted.leaf) if plan else None
    if leaf is None:
        raise Wrong({"": sentence("This leaf is not in the draft, or the draft has errors. Mend them first.")})
    keys = _keys(leaf[1], wanted, language)
    return lambda text: editing.change_leaf(text, wanted.leaf, keys)


def _keys(leaf: Leaf, wanted: Change, language: str) -> dict[str, Any]:
    pinned = {code: [one for one in ids if one != wanted.article] for code, ids in leaf.pinned.items()}
    forbidden = sorted(leaf.forbidden - {wanted.article})
    match wanted.how:
        case "pin" if leaf.never_offer:
            raise Wrong({"": sentence("Nothing is ever offered here. Let articles be offered first.")})
        case "pin":
            pinned[language] = [wanted.article, *pinned.get(language, [])]
            return {"pinned": pinned, "forbidden": forbidden or None}
        case "unpin":
            return {"pinned": _unless_empty(pinned)}
        case "forbid":
            return {"forbidden": sorted({*forbidden, wanted.article}), "pinned": _unless_empty(pinned)}
        case "allow":
            return {"forbidden": forbidden or None}
        case "tags":
            return {"allowed_tags": list(wanted.tags) or None}
        case "never":
            return {"never_offer": "true", "pinned": None}
        case "ever":
            return {"never_offer": None}
    raise Wrong({"": sentence("Choose what is to be changed.")})


def _unless_empty(pinned: dict[str, list[str]]) -> dict[str, list[str]] | None:
    return {code: ids for code, ids in pinned.items() if ids} or None


# ---- working it out


def work_out(wiring: Wiring, conn: Connection, study: Study) -> Outcome:
    """Do the work. Raises LookupError before the first publication, and what a search raises."""
    plan = wiring.plans.live(conn)
    said = _commonest(plan, callers.recorded(conn, wiring, study.calls))
    total = sum(len(rows) for rows in said.values())
    done, found = 0, {}
    for leaf_id, (path, leaf) in plan.leaves().items():
        rows = []
        for language, words, number, _ in said[leaf_id]:
            rows.append(_ask(wiring, conn, plan, path, leaf, Question(language, words, number, None, None, ())))
            done += 1
            if done % TELL_EVERY == 0:
                studies.progress(conn, study, done, total, wiring.clock())
        found[leaf_id] = [asdict(one) for one in rows]
    studies.progress(conn, study, done, total, wiring.clock())
    times = [at for rows in said.values() for _, words, _, at in rows if words and at is not None]
    until = min(map(callers.forget_at, times), default=None)
    return Outcome(plan.version, wiring.finders.version, {}, wiring.numbers.seal(json.dumps(found)), until)


Said = tuple[str, str, int, datetime | None]  # language, words, calls, when they were said last


def _commonest(plan: Plan, everyone: list[Caller]) -> dict[str, list[Said]]:
    """By leaf: the path alone in each language, then what was said there most often."""
    leaves = plan.leaves()
    groups: dict[tuple[str, str], dict[str, list[Caller]]] = {}
    for one in everyone:
        end = callers.end_in(plan, leaves, one.call)
        if end is not None and end[1] is not None:
            key = (end[1].id, one.call.language)
            groups.setdefault(key, {}).setdefault(callers.cleaned(one.words), []).append(one)
    found: dict[str, list[Said]] = {}
    for leaf_id in leaves:
        rows = found[leaf_id] = []
        for language in plan.languages:
            own = groups.get((leaf_id, language.code), {})
            rows.append((language.code, "", len(own.pop("", ())), None))
            common = sorted(own.values(), key=len, reverse=True)[:MOST_SENTENCES]
            rows += [(language.code, _usual(one), len(one), one[-1].call.started_at) for one in common]
    return found


def _usual(group: list[Caller]) -> str:
    return Counter(one.words for one in group).most_common(1)[0][0]


def _ask(wiring: Wiring, conn: Connection, plan: Plan, path: tuple[str, ...], leaf: Leaf, asked: Question) -> Question:
    search = search_at(leaf, path, asked.words, asked.language, plan)
    if not isinstance(search, Search):
        return Question(asked.language, asked.words, asked.calls, search, None, ())
    pinned = by_pin(conn, search, wiring.finders.version)
    if pinned is not None:
        looked = tuple(Looked(card.id, "pinned", 1.0) for card in pinned.cards)
        return Question(asked.language, asked.words, asked.calls, None, None, looked)
    finder = wiring.finders.current()
    if finder is None:
        return Question(asked.language, asked.words, asked.calls, "no_index", None, ())
    told = finder.explain(query_of(search), search.wrong_share, wiring.unanswerable)
    allowed = [one for one in told.candidates if one.verdict != "barred"][:SHOWN]
    barred = [one for one in told.candidates if one.verdict == "barred" and one.chance >= told.gate][:1]
    looked = tuple(Looked(one.article_id, one.verdict, round(one.chance, 4)) for one in (*allowed, *barred))
    reason = by_search(conn, search, told.answer).reason
    return Question(asked.language, asked.words, asked.calls, reason, told.gate, looked)
