"""The review queue: what only a source's rule keeps from callers, and what people say of it."""

import html
import re
from collections.abc import Mapping

import pytest

from ivr.console import reviews as console
from ivr.syncing import Synced, known_source, settle
from ivr.wiring import Wiring
from models import articles, audit, sources, studies, threads
from models.sources import SourceRow
from models.studies import Outcome
from models.threads import NewThread
from search.sources.thread import Reply, Thread
from tests.ivr.web.conftest import Clock
from tests.ivr.web.console.conftest import ConsoleClient, SignedIn

ANSWER = "Throw the second invoice away, it is only a copy of the first."
LONG = "Hold the small button on the back until the light is white again."


def words(answer: object) -> str:
    """What a page says, tags taken out."""
    text = answer.get_data(as_text=True)  # type: ignore[attr-defined]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def thread(number: int, answer: str = ANSWER, *, accepted: bool = False) -> Thread:
    about = ("Invoice came twice", "Router blinks red", "Television has no sound", "Bill is too high")[number % 4]
    return Thread(
        title=f"{about} {number}",
        question=f"What do I do about {about.lower()} {number}, please?",
        replies=(Reply(f"{answer}", None, 2, accepted, None),),
        url="",
        author=None,
        licence="",
        tags=(),
        language="en",
        created=None,
        changed=None,
        closed=False,
        hidden=False,
        solved=accepted,
        votes=0,
    )


def put(wiring: Wiring, given: Mapping[int, Thread], name: str = "town", trust: str = "accepted") -> None:
    """A source with threads as a sync leaves them."""
    with wiring.pool.connection() as conn:
        row = SourceRow(
            name, "discourse", "https://x.example", {}, None, trust, None, "en", "", False, 15, wiring.clock()
        )
        sources.add(conn, row)
        new = [
            NewThread(str(number), f"{name}:{number}", "1", one.as_json(), one.content_hash())
            for number, one in given.items()
        ]
        threads.put(conn, name, new)
        settle(conn, known_source(conn, name), wiring.clock(), Synced(), believe=True)


def picks(client: ConsoleClient, path: str = "/console/reviews") -> list[str]:
    return [html.unescape(one) for one in re.findall(r'name="pick" value="([^"]+)"', client.get(path).text)]


def ids(found: list[str]) -> list[str]:
    return [one.partition(" ")[0] for one in found]


def live(wiring: Wiring) -> list[str]:
    with wiring.pool.connection() as conn:
        return articles.of_source(conn, "town")


def decide(client: ConsoleClient, how: str, picked: list[str]) -> object:
    return client.post_form("/console/reviews", how=how, pick=picked, why="Read it")


def test_what_only_the_rule_keeps_back_waits(wiring: Wiring, signed_in: SignedIn) -> None:
    put(wiring, {1: thread(1), 2: thread(2, accepted=True)})
    put(wiring, {3: thread(3, accepted=True)}, "city", "approved")
    editor = signed_in("editor")
    assert ids(picks(editor)) == ["city:3", "town:1"]
    assert ids(picks(editor, "/console/reviews?source=town")) == ["town:1"]
    assert ids(picks(editor, "/console/reviews?reason=not+approved")) == ["city:3"]
    assert "no accepted answer" in words(editor.get("/console/reviews/town:1"))
    assert editor.get("/console/reviews/town:2").status_code == 404
    assert picks(signed_in("viewer")) == []


def test_several_are_approved_at_once_and_taken_back(wiring: Wiring, signed_in: SignedIn) -> None:
    put(wiring, {1: thread(1), 2: thread(2), 3: thread(3)})
    editor = signed_in("editor")
    answer = decide(editor, "approve", picks(editor)[:2])
    assert answer.status_code == 303  # type: ignore[attr-defined]
    assert live(wiring) == ["town:1", "town:2"]
    assert ids(picks(editor)) == ["town:3"]
    said = words(editor.get("/console/reviews/decided"))
    assert "Invoice" not in said.split("Decision")[0]
    assert "approved Editor 1" in said
    decide(editor, "undo", picks(editor, "/console/reviews/decided")[:1])
    assert len(live(wiring)) == 1
    assert len(picks(editor)) == 2
    with wiring.pool.connection() as conn:
        noted = [(one.what, one.on, one.after["state"]) for one in audit.find(conn, what="thread")]
    assert noted[1:] == [
        ("thread.approve", "article town:2", "live"),
        ("thread.approve", "article town:1", "live"),
    ]
    assert noted[0][0] == "thread.undo"


def test_an_approval_stands_through_a_sync_and_lapses_with_the_words(wiring: Wiring, signed_in: SignedIn) -> None:
    put(wiring, {1: thread(1)})
    editor = signed_in("editor")
    decide(editor, "approve", picks(editor))
    put(wiring, {1: thread(1)})
    assert live(wiring) == ["town:1"]
    put(wiring, {1: thread(1, LONG)})
    assert live(wiring) == []
    assert ids(picks(editor)) == ["town:1"]
    assert "lapsed: it changed since" in words(editor.get("/console/reviews/decided"))


def test_a_refused_thread_waits_no_more_until_its_words_change(wiring: Wiring, signed_in: SignedIn) -> None:
    put(wiring, {1: thread(1)})
    editor = signed_in("editor")
    decide(editor, "refuse", picks(editor))
    assert picks(editor) == []
    assert live(wiring) == []
    put(wiring, {1: thread(1)})
    assert picks(editor) == []
    put(wiring, {1: thread(1, LONG)})
    assert ids(picks(editor)) == ["town:1"]


def test_a_decision_about_words_that_changed_meanwhile_is_none(wiring: Wiring, signed_in: SignedIn) -> None:
    put(wiring, {1: thread(1), 2: thread(2)})
    editor = signed_in("editor")
    before = picks(editor)
    put(wiring, {1: thread(1, LONG), 2: thread(2)})
    assert "1 changed meanwhile" in words(
        editor.post_form("/console/reviews", how="approve", pick=before, follow_redirects=True)
    ) or live(wiring) == ["town:2"]
    assert live(wiring) == ["town:2"]


def test_an_edited_short_version_is_what_callers_hear_once_it_is_approved(wiring: Wiring, signed_in: SignedIn) -> None:
    put(wiring, {1: thread(1)})
    editor = signed_in("editor")
    page = editor.get("/console/reviews/town:1").text
    found = re.search(r'name="seen" value="(\w+)"', page)
    assert found
    fields = {"seen": found[1], "title": "Red blinking router", "why": "Clearer"}
    assert editor.post_form("/console/reviews/town:1/edit", short="No.", **fields).status_code == 422
    assert editor.post_form("/console/reviews/town:1/edit", short=LONG, **fields).status_code == 303
    assert LONG in words(editor.get("/console/reviews"))
    decide(editor, "approve", picks(editor))
    with wiring.pool.connection() as conn:
        (card,) = articles.cards(conn, ("town:1",))
    assert (card.title, card.short) == ("Red blinking router", LONG)


@pytest.mark.parametrize(
    ("how", "picked", "told"),
    [
        ("approve", [], "Tick at least one."),
        ("burn", ["town:1 x"], "Choose what to do"),
        ("approve", [f"town:{n} x" for n in range(201)], "At most 200 at once."),
    ],
)
def test_a_decision_that_is_none_says_so(how: str, picked: list[str], told: str, signed_in: SignedIn) -> None:
    answer = decide(signed_in("editor"), how, picked)
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert told in words(answer)


def test_while_a_sync_settles_nothing_is_decided(
    wiring: Wiring, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "_LOCK_WAIT", "50ms")
    put(wiring, {1: thread(1)})
    editor = signed_in("editor")
    with wiring.pool.connection() as other, other.transaction():
        sources.note_settled(other, "town")
        assert "A sync is writing its articles just now." in words(decide(editor, "approve", picks(editor)))
    assert live(wiring) == []


def test_those_that_would_serve_most_calls_come_first_and_the_page_says_what_was_counted(
    wiring: Wiring, clock: Clock, signed_in: SignedIn
) -> None:
    put(wiring, {number: thread(number) for number in range(1, 31)})
    editor = signed_in("editor")
    assert "was not counted yet" in words(editor.get("/console/reviews"))
    assert editor.post_form("/console/reviews/count").status_code == 303
    assert "being counted" in words(editor.get("/console/reviews"))
    with wiring.pool.connection() as conn:
        study = studies.claim(conn, clock(), clock())
        assert study is not None
        told = {"calls": 900, "threads": 30, "left": 0, "served": {"town:7": 3, "town:30": 41}}
        studies.finish(conn, study, Outcome(1, "v", told, b"", None), clock())
    first = picks(editor)
    assert ids(first)[:3] == ["town:30", "town:7", "town:1"]
    assert "41 calls" in words(editor.get("/console/reviews"))
    assert "30 waiting threads, as if all were approved, on 900 calls" in words(editor.get("/console/reviews"))
    further = re.search(r'href="([^"]+)">Further threads', editor.get("/console/reviews").text)
    assert further
    both = ids(first) + ids(picks(editor, html.unescape(further[1])))
    assert len(both) == len(set(both)) == 30


def test_without_an_index_the_count_says_so(wiring: Wiring, clock: Clock, signed_in: SignedIn) -> None:
    put(wiring, {1: thread(1)})
    editor = signed_in("editor")
    editor.post_form("/console/reviews/count")
    with wiring.pool.connection() as conn:
        study = studies.claim(conn, clock(), clock())
        assert study is not None
        studies.finish(conn, study, console.count_calls(wiring, conn, study), clock())
    assert "no search index was built yet" in words(editor.get("/console/reviews"))


def test_what_is_ticked_is_read_as_it_was_sent() -> None:
    assert console.ids_of(["town:1 ab", "town:2", " x", ""]) == {"town:1": "ab"}
