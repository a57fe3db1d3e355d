"""Rehearse: a draft over the latest real calls. Who would hear another article, one they did not get, or none any more.

Both menus are asked anew, with the index and the gate of now, so that only the draft makes the difference. A call whose
question is the same in both is not searched for: it gets the same answer.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from psycopg import Connection

from ivr.call.effects import Search
from ivr.call.events import Found
from ivr.call.joining import search_at
from ivr.call.plan import OfferRules, Plan
from ivr.console import callers, menus
from ivr.console.actors import Actor
from ivr.console.callers import Caller, End
from ivr.console.errors import Missing, Wrong, sentence
from ivr.finding import find_all
from ivr.wiring import Wiring
from models import articles, drafts, plans, studies
from models.drafts import Draft
from models.studies import Outcome, Study

MOST_CALLS = 10_000
CHOICES = (500, 2000, MOST_CALLS)
MOST_EXAMPLES = 20
TELL_EVERY_S = 0.5
KINDS = ("other", "new", "gone", "same")  # another article, one where there was none, none any more, the same

Asked = Search | str  # what is searched for, or why nothing is


@dataclass(frozen=True, slots=True)
class Heard:
    """What a caller would be found: an article, or the reason for none."""

    article: str | None
    reason: str | None
    score: float | None
    how: str


@dataclass(slots=True)
class Example:
    """Calls of one leaf that said the same and would be found the same. `words` "": by the path alone."""

    leaf: str
    path: tuple[str, ...]
    words: str
    language: str
    before: Heard
    after: Heard
    said_at: datetime
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """Calls of each kind, and of those how many waited long enough for an offer, by either menu's rules."""

    other: int = 0
    new: int = 0
    gone: int = 0
    same: int = 0
    other_waited: int = 0
    new_waited: int = 0
    gone_waited: int = 0

    @property
    def changed(self) -> int:
        """All that would be found something else."""
        return self.other + self.new + self.gone


@dataclass(frozen=True)
class Figures:
    """What a rehearsal came to, in calls. `elsewhere`: they ended where the live menu has nothing any more, and are
    left out; `lost`: they would have to choose anew in the draft."""

    calls: int
    with_words: int
    unkept: int
    elsewhere: int
    lost: int
    untouched: int
    searched: int
    waits_before: int
    waits_after: int
    counts: Counts
    leaves: dict[str, Counts]
    names: dict[str, str]
    since: str | None
    until: str | None
    seconds: float


@dataclass(frozen=True)
class Rehearsal:
    """A rehearsal to look at. `examples` None: the words in them were to be forgotten by now."""

    study: Study
    draft: Draft
    figures: Figures | None
    examples: tuple[Example, ...] | None
    titles: dict[str, str]
    outdated: tuple[str, ...]  # what changed since: "draft", "live", "index"


# ---- asking for one, looking at it


def ask(conn: Connection, wiring: Wiring, by: Actor, draft_id: int, calls: int) -> int:
    """Have a draft rehearsed over so many calls; gives the study's id. Raises Missing, Wrong."""
    found = _draft(conn, draft_id)
    if menus.reading(found.yaml).plan is None:
        raise Wrong({"": sentence("This draft has errors that no call could be led through. Mend them first.")})
    if plans.live_version(conn) is None:
        raise Wrong({"": sentence("Nothing is published yet, so there are no calls to rehearse with.")})
    if calls not in CHOICES:
        raise Wrong({"calls": sentence("Choose how many calls.")})
    return studies.ask(
        conn, studies.REHEARSAL, by.name, wiring.clock(), calls=calls, draft_id=draft_id, revision=found.revision
    )


def _draft(conn: Connection, draft_id: int) -> Draft:
    found = drafts.read(conn, draft_id)
    if found is None:
        raise Missing(f"there is no draft {draft_id}")
    return found


def look(conn: Connection, wiring: Wiring, draft_id: int, study_id: int) -> Rehearsal:
    """A rehearsal of a draft, done or under way. Raises Missing."""
    draft, study = _draft(conn, draft_id), studies.read(conn, study_id)
    if study is None or study.draft_id != draft_id:
        raise Missing(f"draft {draft_id} has no rehearsal {study_id}")
    figures = _figures(study.told) if study.told else None
    examples = _examples(wiring, study.words) if study.words else None
    ids = {one.article for found in examples or () for one in (found.before, found.after) if one.article}
    outdated = tuple(
        name
        for name, changed in (
            ("draft", study.revision != draft.revision),
            ("live", study.plan_version != plans.live_version(conn)),
            ("index", wiring.finders.version is not None and study.index_version != wiring.finders.version),
        )
        if changed and study.state == "done"
    )
    return Rehearsal(study, draft, figures, examples, articles.titles(conn, ids), outdated)


def _figures(told: dict[str, Any]) -> Figures:
    counts, leaves = Counts(**told["counts"]), {name: Counts(**one) for name, one in told["leaves"].items()}
    return Figures(**{**told, "counts": counts, "leaves": leaves})


def _examples(wiring: Wiring, words: bytes) -> tuple[Example, ...] | None:
    try:
        rows = json.loads(wiring.numbers.open(words))
    except ValueError:  # sealed under a key that is gone
        return None
    return tuple(
        Example(
            **{
                **row,
                "path": tuple(row["path"]),
                "before": Heard(**row["before"]),
                "after": Heard(**row["after"]),
                "said_at": datetime.fromisoformat(row["said_at"]),
            }
        )
        for row in rows
    )


# ---- doing it


@dataclass(slots=True)
class _Case:
    """A call in both menus."""

    caller: Caller
    end: End  # in the live one
    before: Asked
    after: Asked
    waited: bool


@dataclass(slots=True)
class _Sorted:
    """The calls, each where it belongs."""

    elsewhere: int = 0
    lost: int = 0
    untouched: int = 0
    waits_before: int = 0
    waits_after: int = 0
    cases: list[_Case] = field(default_factory=list)


def rehearse(wiring: Wiring, conn: Connection, study: Study) -> Outcome:
    """Do the work. Raises LookupError where draft or plan are gone, and what a search raises."""
    begun = time.perf_counter()
    live, draft = wiring.plans.live(conn), _plan(conn, study)
    everyone = callers.recorded(conn, wiring, study.calls)
    split = _sort(everyone, live, draft)
    searches = {asked for case in split.cases for asked in (case.before, case.after) if isinstance(asked, Search)}
    found = find_all(wiring, conn, searches, _cores(), _Teller(wiring, conn, study, len(searches)))
    heard = {search: _heard(one) for search, one in found.items()}
    kinds: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[object, ...], Example] = {}
    for case in split.cases:
        before, after = (_of(asked, heard) for asked in (case.before, case.after))
        kind = _kind(before, after)
        leaf = case.end[1].id if case.end[1] else ""
        kinds[leaf, kind] += 1
        kinds[leaf, f"{kind}_waited"] += case.waited
        if kind != "same":
            _add(examples, case, leaf, live, before, after)
    shown = sorted(examples.values(), key=_weight)[:MOST_EXAMPLES]
    told = Figures(
        calls=len(everyone),
        with_words=sum(bool(one.words) for one in everyone),
        unkept=sum(one.unkept for one in everyone),
        elsewhere=split.elsewhere,
        lost=split.lost,
        untouched=split.untouched,
        searched=len(split.cases),
        waits_before=split.waits_before,
        waits_after=split.waits_after,
        counts=_counts(kinds, None),
        leaves={leaf: _counts(kinds, leaf) for leaf in sorted({leaf for leaf, _ in kinds})},
        names=_names(live),
        since=everyone[0].call.started_at.isoformat() if everyone else None,
        until=everyone[-1].call.started_at.isoformat() if everyone else None,
        seconds=round(time.perf_counter() - begun, 1),
    )
    until = min((callers.forget_at(one.said_at) for one in shown if one.words), default=None)
    words = wiring.numbers.seal(json.dumps([asdict(one) for one in shown], default=datetime.isoformat))
    return Outcome(live.version, wiring.finders.version, asdict(told), words, until)


def _plan(conn: Connection, study: Study) -> Plan:
    text = drafts.text_of(conn, study.draft_id or 0, study.revision or 0)
    plan = menus.reading(text).plan if text is not None else None
    if plan is None:
        raise LookupError(f"draft {study.draft_id} has no revision {study.revision} that calls could be led through")
    return plan


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Teller:
    """Says now and then how far it is."""

    def __init__(self, wiring: Wiring, conn: Connection, study: Study, total: int) -> None:
        self._wiring, self._conn, self._study, self._total = wiring, conn, study, total
        self._told_at = -TELL_EVERY_S
        self(0)

    def __call__(self, done: int) -> None:
        if time.monotonic() - self._told_at >= TELL_EVERY_S:
            studies.progress(self._conn, self._study, done, self._total, self._wiring.clock())
            self._told_at = time.monotonic()


def _sort(everyone: Iterable[Caller], live: Plan, draft: Plan) -> _Sorted:
    split, ends = _Sorted(), (live.leaves(), draft.leaves())
    known: dict[tuple[bool, tuple[str, ...], str, str], Asked] = {}

    def asked(plan: Plan, end: End, caller: Caller) -> Asked:
        key = (plan is live, end[0], caller.words, caller.call.language)
        if key not in known:
            known[key] = search_at(end[1], end[0], caller.words, caller.call.language, plan)
        return known[key]

    for caller in everyone:
        before, after = (callers.end_in(plan, own, caller.call) for plan, own in zip((live, draft), ends, strict=True))
        if before is None:
            split.elsewhere += 1
            continue
        waits = _waits(live.offers, caller), _waits(draft.offers, caller)
        split.waits_before += waits[0]
        split.waits_after += waits[1]
        if after is None:
            split.lost += 1
            continue
        case = _Case(caller, before, asked(live, before, caller), asked(draft, after, caller), any(waits))
        if case.before == case.after:
            split.untouched += 1
        else:
            split.cases.append(case)
    return split


def _waits(rules: OfferRules, caller: Caller) -> bool:
    """Whether the caller waited long enough, far enough back in line, for an offer."""
    call = caller.call
    far = call.position is not None and call.position >= rules.min_position
    return far and call.waited_s >= rules.first_after_s and not rules.stopped


def _heard(found: Found) -> Heard:
    return Heard(found.cards[0].id if found.cards else None, found.reason, found.score, found.how)


def _of(asked: Asked, heard: dict[Search, Heard]) -> Heard:
    return heard[asked] if isinstance(asked, Search) else Heard(None, asked, None, "search")


def _kind(before: Heard, after: Heard) -> str:
    if before.article == after.article:
        return "same"
    if before.article is None:
        return "new"
    return "gone" if after.article is None else "other"


def _add(
    examples: dict[tuple[object, ...], Example], case: _Case, leaf: str, live: Plan, before: Heard, after: Heard
) -> None:
    call, words = case.caller.call, case.caller.words
    key = (leaf, call.language, callers.cleaned(words), before.article, after.article)
    one = examples.setdefault(
        key,
        Example(leaf, live.labels(case.end[0], call.language), words, call.language, before, after, call.started_at),
    )
    one.calls += 1
    one.said_at = max(one.said_at, call.started_at)


def _weight(one: Example) -> tuple[float, float, str]:
    """What most callers would notice comes first, then what changes most."""
    return -one.calls, -abs((one.after.score or 0.0) - (one.before.score or 0.0)), one.words


def _counts(kinds: Counter[tuple[str, str]], leaf: str | None) -> Counts:
    def of(kind: str) -> int:
        return sum(number for (where, one), number in kinds.items() if one == kind and leaf in (None, where))

    return Counts(**{name: of(name) for name in Counts.__slots__})


def _names(plan: Plan) -> dict[str, str]:
    code = plan.languages[0].code
    return {leaf.id: " › ".join(plan.labels(path, code)) for path, leaf in plan.leaves().values()}
