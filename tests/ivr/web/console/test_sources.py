"""Sources as staff add, try, sync, pause and remove them, against a forum on this machine."""

import html
import re
from collections.abc import Iterator

import pytest

from config.settings import Settings
from ivr import wiring as wirings
from ivr.console import sources as console
from ivr.syncing import LONGEST_PAUSE, sync
from ivr.wiring import Wiring
from models import articles, audit, plans, sources
from tests.ivr.web.conftest import STARTER, Clock
from tests.ivr.web.console.conftest import ConsoleClient, SignedIn
from tests.search.sources.standins import Forum


@pytest.fixture
def wiring(settings: Settings, clock: Clock) -> Iterator[Wiring]:
    """As elsewhere, but forums of this machine may be asked."""
    built = wirings.build(settings.model_copy(update={"sources_allow_private": "on"}), clock, pool_size=4)
    try:
        with built.pool.connection(timeout=5) as conn:
            plans.publish(conn, STARTER.read_text("utf-8"), "tests", "the starter plan", at=clock())
        yield built
    finally:
        built.close()


def words(answer: object) -> str:
    """What a page says, tags taken out."""
    text = answer.get_data(as_text=True)  # type: ignore[attr-defined]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def add(client: ConsoleClient, url: str, **changed: str) -> object:
    fields = {
        "kind": "discourse",
        "url": url,
        "name": "town",
        "trust": "accepted",
        "language": "en",
        "every_minutes": "15",
        "why": "Our community",
        "act": "add",
        **changed,
    }
    return client.post_form("/console/sources", **fields)


def read(wiring: Wiring) -> None:
    """What the worker does with what is due."""
    with wiring.pool.connection() as conn:
        due = sources.due(conn, wiring.clock())
    for name in due:
        sync(wiring, name, progress=lambda done, of: None)


def test_a_source_is_tried_added_and_read(forum: Forum, wiring: Wiring, signed_in: SignedIn) -> None:
    editor = signed_in("editor")
    assert "No source is there yet." in words(editor.get("/console/sources"))
    tried = add(editor, forum.url, act="try")
    assert "Router light is red en may get it" in words(tried)
    assert "Invoice came twice en left out no accepted answer" in words(tried)
    assert "No source is there yet." in words(editor.get("/console/sources"))
    assert add(editor, forum.url).status_code == 303  # type: ignore[attr-defined]
    assert "town not read yet 0" in words(editor.get("/console/sources/state"))
    read(wiring)
    said = words(editor.get("/console/sources"))
    assert "town well 1" in said
    assert "Left out 1 no accepted answer" in said
    with wiring.pool.connection() as conn:
        assert articles.of_source(conn, "town") == ["town:1"]
        (noted,) = audit.find(conn, what="source.add")
    assert (noted.on, noted.after["url"], noted.why) == ("source town", forum.url, "Our community")


def test_what_cannot_be_read_is_not_added_and_nothing_typed_is_lost(wiring: Wiring, signed_in: SignedIn) -> None:
    answer = add(signed_in("editor"), "http://127.0.0.1:9/", licence="CC BY 4.0")
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert "It cannot be read:" in words(answer)
    assert 'value="CC BY 4.0"' in answer.text  # type: ignore[attr-defined]
    with wiring.pool.connection() as conn:
        assert sources.list_all(conn) == []


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("kind", "jsonl", "Choose what it is."),
        ("kind", "", "Choose what it is."),
        ("url", "/etc/passwd", "A web address"),
        ("url", "file:///etc/passwd", "A web address"),
        ("url", "http://[", "A web address"),
        ("name", "../x", "1 to 30 small letters"),
        ("trust", "any", "Choose which threads"),
        ("language", "English", "A code of two or three"),
        ("licence", "x" * 201, "At most 200 letters"),
        ("every_minutes", "1", "A number from 5 to 10080."),
        ("max_age_days", "-1", "A number from 1 to 36500."),
        ("options", "what is this", "One NAME=VALUE a line."),
        ("credentials", "SOURCE_KEY", "Only an administrator may name a key"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field(field: str, typed: str, told: str, signed_in: SignedIn) -> None:
    answer = add(signed_in("editor"), **{"url": "https://forum.example.com", field: typed})
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert told in words(answer)
    assert field == "credentials" or f'id="problem-{field}"' in answer.text  # type: ignore[attr-defined]


def test_an_administrator_names_a_key_by_its_variable_only(signed_in: SignedIn) -> None:
    answer = add(signed_in("admin"), "https://forum.example.com", credentials="DATABASE_URL")
    assert "The name of an environment variable that begins with SOURCE_." in words(answer)


def test_an_option_the_kind_has_not_is_told(signed_in: SignedIn) -> None:
    assert "discourse has no option colour" in words(
        add(signed_in("editor"), "https://forum.example.com", options="colour=red")
    )


def test_a_name_that_is_taken_is_told(forum: Forum, signed_in: SignedIn) -> None:
    editor = signed_in("editor")
    add(editor, forum.url)
    assert "The name town is taken" in words(add(editor, forum.url))


def test_more_than_two_are_not_tried_at_once(forum: Forum, signed_in: SignedIn) -> None:
    with console._TRIALS, console._TRIALS:
        assert "Two sources are being tried already." in words(add(signed_in("editor"), forum.url))


def test_a_sync_that_is_asked_for_is_done_though_it_is_paused(
    forum: Forum, wiring: Wiring, clock: Clock, signed_in: SignedIn
) -> None:
    editor = signed_in("editor")
    add(editor, forum.url)
    assert editor.post_form("/console/sources/town/pause", paused="on", why="They move house").status_code == 303
    clock.on(960)
    with wiring.pool.connection() as conn:
        assert sources.due(conn, clock()) == []
    assert "town paused" in words(editor.get("/console/sources/state"))
    assert editor.post_form("/console/sources/town/sync").status_code == 303
    assert "town waits for the worker" in words(editor.get("/console/sources/state"))
    read(wiring)
    with wiring.pool.connection() as conn:
        assert sources.due(conn, clock()) == []
        assert sources.live_articles(conn) == {"town": 1}
    editor.post_form("/console/sources/town/pause", paused="off", why="They have moved")
    clock.on(960)
    with wiring.pool.connection() as conn:
        assert sources.due(conn, clock()) == ["town"]


def test_how_far_a_sync_is_can_be_seen(forum: Forum, wiring: Wiring, signed_in: SignedIn) -> None:
    editor = signed_in("editor")
    add(editor, forum.url)
    seen: list[str] = []

    def look(done: int, of: int | None) -> None:
        if not seen:
            seen.append(words(editor.get("/console/sources/state")))

    sync(wiring, "town", progress=look)
    assert "town being read" in seen[0]
    with wiring.pool.connection() as conn:
        row = sources.read(conn, "town")
        assert sources.being_synced(conn) == frozenset()
    assert row is not None
    assert row.read_so_far is not None


def test_the_last_problem_is_told_in_words(forum: Forum, wiring: Wiring, signed_in: SignedIn) -> None:
    editor = signed_in("editor")
    add(editor, forum.url)
    with wiring.pool.connection() as conn:
        sources.note_problem(conn, "town", "<b>it</b> sends a login page", wiring.clock(), LONGEST_PAUSE)
    page = editor.get("/console/sources")
    assert "not synced <b>it</b> sends a login page" in words_kept(page.text)
    assert "<b>it</b>" not in page.text


def test_what_could_not_be_read_is_listed(forum: Forum, wiring: Wiring, signed_in: SignedIn) -> None:
    editor = signed_in("editor")
    add(editor, forum.url)
    assert "Could not be read" not in editor.get("/console/sources").text
    with wiring.pool.connection() as conn:
        sources.note_unread(conn, "town", ["<b>it</b>/t/1 has no title", "https://forum.example/t/2 has no title"])
    page = editor.get("/console/sources").text
    assert "<summary>2 threads</summary><ul><li>&lt;b&gt;it&lt;/b&gt;/t/1 has no title</li>" in page


def words_kept(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"</?(?:span|td|small|br|tr|th)[^>]*>", " ", text)).split())


def test_removing_one_says_first_what_becomes_of_its_articles(
    forum: Forum, wiring: Wiring, signed_in: SignedIn
) -> None:
    editor = signed_in("editor")
    add(editor, forum.url)
    read(wiring)
    assert "Its 1 article is offered and shown no more" in words(editor.get("/console/sources"))
    with wiring.pool.connection() as other, sources.alone(other, "town"):
        answer = editor.post_form("/console/sources/town/remove", why="Closed down")
        assert "town is being synced" in words(answer)
    assert editor.post_form("/console/sources/town/remove", why="Closed down").status_code == 303
    with wiring.pool.connection() as conn:
        assert sources.list_all(conn) == []
        assert articles.of_source(conn, "town") == []
        (noted,) = audit.find(conn, what="source.remove")
    assert noted.after == {"lapsed": 1}
    assert editor.post_form("/console/sources/town/sync").status_code == 404
