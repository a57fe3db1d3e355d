"""Every story is played through the real app, as it is and with every webhook sent twice. docs/stories.md tells how to
write one; `REWRITE_STORIES=1` puts what is on record in the place of what was expected, and the diff is the review;
`TELL_STORIES=FOLDER` writes each call down as it was heard."""

import os
from collections.abc import Iterable
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from ivr.call.closed import CLOSED_WHY
from ivr.call.facts import FACTS
from ivr.call.flow import QUEUE_RESULTS
from ivr.call.offers import OFFER_REFUSALS, TEXT_REFUSALS
from ivr.phone.story import Story, read
from ivr.texts import consent
from search.result import REFUSALS
from tests.record import rewrite, unlike
from tests.scenery import Scenery
from tests.stage import Stage

FOLDER = Path(__file__).parent / "calls"
FILES = sorted(FOLDER.glob("*.yaml"))
TEXT_STATUSES = (
    "queued", "sending", "unknown", "sent", "delivered", "undelivered", "failed", "expired", "canceled",
)  # fmt: skip
NUMBER_REFUSALS = ("not_a_number", "country", "not_mobile", "own")
#: What "The call" and "The text and after" promise, by section; a story names in `shows` what it is about.
BRANCHES = {
    "1 greeting and menu": (
        "by key", "by voice", "synonyms", "star repeats", "silence at the menu", "wrong input", "default queue",
        "zero reaches a person", "agent by voice", "Spanish by key", "Spanish by voice",
    ),
    "2 at a leaf": (
        "described", "describe skipped", "pinned leaf", "never-offer leaf", "discreet text", "search refusals",
    ),
    "3 on hold": (
        "position words", "wait words", "one apology", "offer with a known wait", "wait unknown at 30 seconds",
        "at least 90 seconds to wait", "never at position 1-2", "declined", "silence and one reminder",
        "one further article", "typed ahead", "votes", "helped callers", "author's name", "hear it",
        "hear it then text it", "no short version", "offer cut", "answers by voice",
    ),
    "4 accepting": (
        "receipt delivered", "receipt undelivered", "no receipt in 45 seconds", "receipt before the answer",
        "receipts out of order", "keys after the text", "zero tells the position", "typed number", "read back",
        "two tries", "wrong number", "withheld number", "SIP", "landline", "linked numbers", "texts a call",
        "texts a day", "exactly one text",
    ),
    "5 the agent answers": ("agent mid-offer", "agent after the key", "late key on a bridged call"),
    "6 agents": ("agent sees it", "TaskRouter", "overflow number"),
    "7 when nobody can answer": (
        "closed by hours", "closed by holiday", "closed by switch", "queue full", "maximum hold",
        "closed offer by text", "closed offer aloud",
    ),
    "8 coming back": ("coming back", "comes back for something else"),
    "9 leaving the queue": ("queue results", "sent back to our number"),
    "10 experiment arm": ("experiment arm", "holdout", "offers stopped"),
    "incidents and switches": (
        "incident at the leaf", "incident on hold", "incident where nobody can answer", "incident news by text",
        "incident ends early", "incident runs out", "switch of one queue", "switch of all queues",
    ),
    "the text": ("text expired", "unknown text", "21610 from the carrier", "opted out"),
    "replies": (
        "reply 1", "reply 2", "reply 3", "STOP", "START", "HELP", "question with an answer",
        "question without an answer", "a few questions an hour", "Spanish texts",
    ),
    "after": (
        "follow-up", "follow-up cancelled", "link opened by a person", "link opened by a scanner",
        "link opened by a preview", "solved by page", "help by page", "community", "article withdrawn",
    ),
    "whatever happens": ("FLUSHALL", "plan published mid-call", "hostile requests"),
}  # fmt: skip
REWRITE = bool(os.environ.get("REWRITE_STORIES"))
TELL = os.environ.get("TELL_STORIES")


@cache
def story_in(file: Path) -> Story:
    """Parsed when it is asked for, not by every process that looks for tests."""
    return read(file)


def stories() -> list[Story]:
    return [story_in(file) for file in FILES]


@pytest.mark.parametrize("twice", [False, True], ids=["as-is", "doubled"])
@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_story_goes_as_written(file: Path, twice: bool, scenery: Scenery) -> None:
    story = story_in(file)
    wishes = dict(story.ends)
    misuses = [str(one) for one in wishes.pop("warnings", [])]
    with ExitStack() as parts:
        stage = Stage(scenery, story, parts)
        result, record = stage.play(twice=twice)
    told = "\n".join(result.lines)
    if TELL and not twice:
        (Path(TELL) / f"{file.stem}.txt").write_text(f"{story.title}\n{told}\n", "utf-8")
    problems = [one for one in result.problems if ": protocol: " not in one or not _expected(one, misuses)]
    problems += [f"the carrier never warned of {one}" for one in misuses if not _any_of(result.problems, one)]
    assert result.cannot == []
    if REWRITE and not twice:
        rewrite(file, record, misuses)
        wishes = record.ends()
    problems += unlike(record, wishes)
    assert problems == [], told + "\n\n" + "\n".join(problems)


def _expected(problem: str, misuses: list[str]) -> bool:
    return any(f": protocol: {code} " in problem for code in misuses)


def _any_of(problems: list[str], code: str) -> bool:
    return any(f": protocol: {code} " in problem for problem in problems)


def _told(*names: str) -> set[str]:
    """Details of these facts, as the stories expect them."""
    facts = {fact for story in stories() for fact in story.ends["facts"]}
    return {detail for name, _, detail in (fact.partition(" ") for fact in facts) if name in names}


def _never(wanted: Iterable[str], played: Iterable[str]) -> list[str]:
    return sorted(set(wanted) - set(played))


def test_every_fact_is_in_some_story() -> None:
    played = {fact.partition(" ")[0] for story in stories() for fact in story.ends["facts"]}
    assert _never(FACTS, played) == []


def test_every_queue_result_is_in_some_story_and_one_that_nobody_knows() -> None:
    played = {result for story in stories() for result in story.ends["results"]}
    assert _never(QUEUE_RESULTS, played) == []
    assert played - QUEUE_RESULTS


def test_every_reason_to_offer_nothing_is_in_some_story() -> None:
    assert _never(REFUSALS, _told("match_refused")) == []
    assert _never(OFFER_REFUSALS, _told("offer_refused")) == []


def test_every_reason_to_send_nothing_is_in_some_story() -> None:
    assert _never((*TEXT_REFUSALS, *consent.REFUSALS), _told("text_refused")) == []
    assert _never(NUMBER_REFUSALS, _told("number_refused")) == []


def test_every_reason_to_be_closed_is_in_some_story() -> None:
    assert _never(CLOSED_WHY, _told("closed")) == []


def test_every_status_of_a_text_is_in_some_story() -> None:
    at_the_end = [text for story in stories() for text in story.ends["texts"]]
    on_the_way = [
        text for story in stories() for turn in story.turns if turn.kind == "expects" for text in turn.get("texts", [])
    ]
    assert _never(TEXT_STATUSES, {text.split()[-1] for text in at_the_end + on_the_way}) == []


def test_every_branch_is_shown_by_some_story() -> None:
    promised = {branch for section in BRANCHES.values() for branch in section}
    shown = {branch for story in stories() for branch in story.shows}
    assert _never(promised, shown) == []
    assert _never(shown, promised) == []


def test_every_story_is_one_of_a_kind_and_has_a_sentence_for_a_title() -> None:
    titles = [story.title for story in stories()]
    assert len(set(titles)) == len(titles) >= 45
    assert [title for title in titles if len(title.split()) < 5] == []
