"""A Discourse and a Zendesk stand-in synced, changed, deleted from, and broken on purpose one way at a time."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection

from config.settings import Settings
from ivr.syncing import NotBelieved, Synced, settle, sync
from ivr.wiring import Wiring, build
from models import articles, sources, texts, threads
from models.sources import SourceRow
from search.article import Article
from search.sources.fetching import MAX_BYTES, Fetcher
from search.sources.source import SourceError
from tests.search.sources.standins import STEPS, Answer, Asked, Break, Forum, HelpCenter, StandIn, as_json, zipped

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TITLES = ("Router light is red", "Remote does not pair", "Charged twice in March", "No sound on channel nine")
WORDS = ("light", "remote", "invoice", "speaker")


@dataclass
class Desk:
    """The service's side of a sync, on a clock of its own."""

    wiring: Wiring
    now: list[datetime]
    slept: list[float] = field(default_factory=list)

    def add(self, kind: str, url: str, **more: Any) -> None:
        row = SourceRow("town", kind, url, {}, None, "accepted", None, "en", "", False, 15, NOW)
        with self.wiring.pool.connection() as conn:
            assert sources.add(conn, row._replace(**more))

    def sync(self, *, request_s: float = 20, **how: bool) -> Synced:
        fetch = Fetcher("us", allow_private=True, per_second=1e6, sleep=self.slept.append, request_s=request_s)
        return sync(self.wiring, "town", progress=lambda done, of: None, fetch=fetch, **how)

    def row(self) -> SourceRow:
        with self.wiring.pool.connection() as conn:
            row = sources.read(conn, "town")
        assert row is not None
        return row

    def live(self) -> list[str]:
        with self.wiring.pool.connection() as conn:
            return articles.of_source(conn, "town")

    def article(self, identity: str) -> Article:
        with self.wiring.pool.connection() as conn:
            found = articles.read(conn, identity)
        assert found is not None
        return found

    def left_out(self) -> dict[str, int]:
        with self.wiring.pool.connection() as conn:
            return dict(threads.refusals(conn, "town"))


@pytest.fixture
def desk(settings: Settings) -> Iterator[Desk]:
    now = [NOW]
    wiring = build(settings, clock=lambda: now[0])
    yield Desk(wiring, now)
    wiring.close()


@pytest.fixture
def forum() -> Iterator[Forum]:
    stand_in = Forum()
    for place, (title, word) in enumerate(zip(TITLES, WORDS, strict=True), start=1):
        stand_in.add(
            place, title, f"My {word} stopped working, what can I do?", f"About the {word}: {STEPS}", accepted=2
        )
    with stand_in.running():
        yield stand_in


@pytest.fixture
def center() -> Iterator[HelpCenter]:
    stand_in = HelpCenter()
    for place, (title, word) in enumerate(zip(TITLES, WORDS, strict=True), start=1):
        stand_in.add(place, title, f"<p>About the {word}: {STEPS}</p>")
    with stand_in.running():
        yield stand_in


ALL = [f"town:{number}" for number in (1, 2, 3, 4)]


# --- Discourse


def test_a_forum_is_synced_page_by_page(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url, licence="CC BY 4.0", name_authors=True)
    done = desk.sync()
    assert (done.pulled, done.articles, done.skipped, done.paused) == (4, 4, [], None)
    assert desk.live() == ALL
    found = desk.article("town:1")
    assert (found.title, found.question) == (TITLES[0], "My light stopped working, what can I do?")
    assert found.url == f"{forum.url}/t/router-light-is-red/1"
    assert (found.author, found.licence, found.tags, found.votes) == ("member1", "CC BY 4.0", ("router",), 1)
    assert found.accepted is not None
    assert (found.accepted.text, found.accepted.author, found.accepted.votes) == (
        f"About the light: {STEPS}",
        "member2",
        2,
    )
    assert [path for path in forum.paths() if path == "/latest.json"] == ["/latest.json"] * 2
    row = desk.row()
    assert (row.problem, row.failures, row.synced_at, row.next_at) == (None, 0, NOW, NOW + timedelta(minutes=15))


def test_dates_of_a_thread_are_kept_as_evidence(desk: Desk, forum: Forum, db: Connection) -> None:
    desk.add("discourse", forum.url)
    desk.sync()
    asked, changed = db.execute("SELECT asked_at, changed_at FROM articles WHERE id = 'town:1'").fetchone() or (
        None,
        None,
    )
    assert (asked, changed) == (datetime(2026, 11, 1, 9, tzinfo=UTC), datetime(2026, 11, 1, 11, tzinfo=UTC))


def test_a_second_sync_of_a_forum_asks_for_one_page_that_has_not_changed(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url)
    desk.sync()
    forum.paths()
    assert (desk.sync().pulled, forum.paths()) == (0, ["/latest.json"])
    forum.reply(3, "Thank you, that was it.")
    assert (desk.sync().pulled, forum.paths()) == (1, ["/latest.json", "/t/3.json"])


def test_a_changed_topic_changes_its_article(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url)
    desk.sync()
    forum.topics[2]["title"] = "Remote does not pair after the update"
    forum.topics[2]["posts"][1]["cooked"] = f"<p>First take out the batteries.</p><ol><li>{STEPS}</li></ol>"
    forum.topics[2]["bumped_at"] = forum.tick()
    assert (desk.sync().pulled, desk.live()) == (1, ALL)
    found = desk.article("town:2")
    assert found.title == "Remote does not pair after the update"
    assert found.accepted is not None
    assert found.accepted.text.startswith("First take out the batteries.")


def test_a_deleted_topic_lapses_within_a_day_and_comes_back_when_it_does(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url)
    desk.sync()
    kept = forum.topics.pop(4)
    desk.now[0] += timedelta(hours=25)
    assert (desk.sync().lapsed, desk.live()) == (1, ALL[:3])
    forum.topics[4] = kept
    desk.now[0] += timedelta(hours=25)
    assert (desk.sync().lapsed, desk.live()) == (0, ALL)


def test_a_topic_that_slips_through_while_pages_turn_is_not_taken_for_gone(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url)
    desk.sync()

    def slipping(asked: Asked, answer: Answer) -> Answer:
        if asked.path != "/latest.json" or answer.status != 200:
            return answer
        told = json.loads(answer.body)
        told["topic_list"]["topics"] = [topic for topic in told["topic_list"]["topics"] if topic["id"] != 2]
        return as_json(told)

    forum.broken = slipping
    desk.now[0] += timedelta(hours=25)
    assert (desk.sync().lapsed, desk.live()) == (0, ALL)


def test_a_topic_that_does_not_let_us_in_is_gone_only_when_it_is_listed_no_more(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url)
    desk.sync()
    forum.reply(2, "Thank you, that was it.")
    forum.broken = lambda asked, answer: Answer(403) if asked.path == "/t/2.json" else answer
    done = desk.sync()
    assert (done.skipped, done.lapsed) == ([f"{forum.url}/t/2.json does not let us in (it answered 403)"], 0)
    desk.now[0] += timedelta(hours=25)
    assert (desk.sync().lapsed, desk.live()) == (0, ALL)
    del forum.topics[2]
    desk.now[0] += timedelta(hours=25)
    assert (desk.sync().lapsed, desk.live()) == (1, [ALL[0], ALL[2], ALL[3]])


def test_a_solution_taken_back_is_seen_by_the_daily_listing(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url)
    desk.sync()
    forum.topics[1]["accepted"] = None  # does not move the topic up
    desk.sync()
    assert desk.live() == ALL
    desk.now[0] += timedelta(hours=25)
    desk.sync()
    assert (desk.live(), desk.left_out()) == (ALL[1:], {"no accepted answer": 1})


def test_closed_archived_unlisted_and_private_topics_are_left_out(desk: Desk, forum: Forum) -> None:
    for number, (name, value) in enumerate([("closed", True), ("archived", True), ("visible", False)], start=11):
        forum.add(
            number, f"Topic {WORDS[number - 11]} number {number}", f"A {name} question?", f"{name}: {STEPS}", accepted=2
        )
        forum.topics[number][name] = value
    desk.add("discourse", forum.url)
    desk.sync()
    assert (desk.live(), desk.left_out()) == (ALL, {"closed": 2, "hidden": 1})


def test_a_key_reads_no_topics_that_callers_could_not_open(
    desk: Desk, forum: Forum, monkeypatch: pytest.MonkeyPatch
) -> None:
    forum.topics[3]["category_id"] = 9
    desk.add("discourse", forum.url, credentials="SOURCE_TOWN")
    with pytest.raises(SourceError, match="SOURCE_TOWN does not hold user:key"):
        desk.sync()
    monkeypatch.setenv("SOURCE_TOWN", "reader:secretkey")
    desk.sync()
    assert {(one.headers["api-username"], one.headers["api-key"]) for one in forum.asked} == {("reader", "secretkey")}
    assert (desk.live(), desk.left_out()) == ([ALL[0], ALL[1], ALL[3]], {"hidden": 1})
    assert "secretkey" not in str(desk.row())


def test_one_category_is_synced(desk: Desk, forum: Forum) -> None:
    forum.topics[1]["category_id"] = 12
    desk.add("discourse", forum.url, options={"category": "support/12"})
    desk.sync()
    assert desk.live() == ["town:1"]
    assert forum.asked[0].path == "/c/support/12/l/latest.json"


def test_a_long_topic_gives_its_accepted_answer_and_its_latest_posts(desk: Desk, forum: Forum) -> None:
    for number in range(3, 120):
        forum.reply(1, f"Remark number {number} about something else.")
    forum.topics[1]["posts"][69]["cooked"] = f"<p>Seventy: {STEPS}</p>"
    forum.topics[1]["accepted"] = 70
    desk.add("discourse", forum.url)
    desk.sync()
    found = desk.article("town:1")
    assert found.accepted is not None
    assert found.accepted.text == f"Seventy: {STEPS}"
    assert found.answers[-1].text == "Remark number 119 about something else."
    assert len(found.answers) == 50
    assert "/posts/by_number/1/70.json" in forum.paths()


def test_a_dispute_after_the_accepted_answer_takes_the_article_away(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url)
    desk.sync()
    forum.reply(1, "This does not work any more since the last update.", "someone")
    desk.sync()
    assert (desk.live(), desk.left_out()) == (ALL[1:], {"disputed": 1})


def test_a_double_is_folded_into_the_better_one(desk: Desk, forum: Forum) -> None:
    question = "The box in the hall has blinked red since the storm last night and nothing gets through. What can I do?"
    forum.add(5, "Box blinks red", question, f"The light again: {STEPS}", accepted=2)
    forum.add(6, "Box blinks red", question, f"The light again: {STEPS}", accepted=2)
    desk.add("discourse", forum.url)
    desk.sync()
    assert len(desk.live()) == 5
    assert desk.left_out() == {"double": 1}


def test_a_busy_forum_is_waited_for(desk: Desk, forum: Forum) -> None:
    refused: list[str] = []

    def busy(asked: Asked, answer: Answer) -> Answer:
        if asked.path in refused:
            return answer
        refused.append(asked.path)
        return Answer(429, b'{"errors":["too many requests"]}', {"Retry-After": "11"})

    forum.broken = busy
    desk.add("discourse", forum.url)
    assert desk.sync().articles == 4
    assert [one for one in desk.slept if one > 1] == [11.0] * 5


# --- Zendesk


def test_a_help_center_is_synced_by_cursor_pages(desk: Desk, center: HelpCenter) -> None:
    center.add(5, "How to join two accounts", None)
    center.add(6, "Old way to pay by telephone", f"<p>Call us. {STEPS}</p>", outdated=True)
    desk.add("zendesk", center.url, options={"locale": "en-us"}, licence="ours")
    assert desk.sync().articles == 4
    assert (desk.live(), desk.left_out()) == (ALL, {"closed": 1, "no answer": 1})
    found = desk.article("town:3")
    assert (found.title, found.url) == (TITLES[2], f"{center.url}/hc/en-us/articles/3")
    assert (found.tags, found.language, found.licence) == (("billing",), "en", "ours")
    assert found.accepted is not None
    assert (found.accepted.text, found.accepted.votes) == (f"About the invoice: {STEPS}", 4)
    assert center.paths() == ["/api/v2/help_center/en-us/articles.json"] * 3


def test_a_second_sync_of_a_help_center_reads_no_further_than_what_changed(desk: Desk, center: HelpCenter) -> None:
    desk.add("zendesk", center.url)
    desk.sync()
    center.paths()
    assert (desk.sync().pulled, len(center.paths())) == (0, 1)
    center.add(2, "Remote does not pair", f"<p>New batteries first. {STEPS}</p>")
    assert (desk.sync().pulled, len(center.paths())) == (1, 2)
    assert desk.article("town:2").answers[0].text == f"New batteries first. {STEPS}"


def test_an_archived_article_lapses_within_a_day(desk: Desk, center: HelpCenter) -> None:
    desk.add("zendesk", center.url)
    desk.sync()
    del center.articles[1]
    desk.now[0] += timedelta(hours=25)
    assert (desk.sync().lapsed, desk.live()) == (1, ALL[1:])


def test_an_agents_key_follows_the_export_and_publishes_nothing_internal(
    desk: Desk, center: HelpCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_TOWN", "agent@example.com/token:k")
    center.add(5, "For agents only: refunds", f"<p>Refund. {STEPS}</p>", user_segment_id=4)
    center.add(6, "Not done yet: moving house", f"<p>Moving. {STEPS}</p>", draft=True)
    desk.add("zendesk", center.url, credentials="SOURCE_TOWN")
    desk.sync()
    assert (desk.live(), desk.left_out()) == (ALL, {"hidden": 2})
    center.paths()
    center.add(1, "Router light is red or orange", f"<p>About the light: {STEPS}</p>")
    center.add(2, "Remote does not pair", f"<p>About the remote: {STEPS}</p>", draft=True)
    assert (desk.sync().pulled, desk.live()) == (2, [ALL[0], ALL[2], ALL[3]])
    assert set(center.paths()) == {"/api/v2/help_center/incremental/articles.json"}
    assert desk.article("town:1").title == "Router light is red or orange"


def test_a_translation_that_is_not_let_out_is_not_taken_for_gone(
    desk: Desk, center: HelpCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_TOWN", "agent@example.com/token:k")
    desk.add("zendesk", center.url, options={"locale": "en-us"}, credentials="SOURCE_TOWN")
    desk.sync()
    for identity in (1, 2, 3):  # edited, and written in another language than ours
        center.add(identity, TITLES[identity - 1], f"<p>Nuevo. {STEPS}</p>", locale="es", source_locale="es")
    center.articles[3]["user_segment_id"] = 4
    center.broken = lambda asked, answer: (
        Answer(403, b"{}") if re.search(r"/articles/[13]\.json", asked.path) else answer
    )
    desk.sync()
    assert desk.live() == [ALL[0], ALL[1], ALL[3]]  # 3 is for agents only by now
    assert desk.article("town:2").answers[0].text == f"Nuevo. {STEPS}"
    center.broken = None
    desk.now[0] += timedelta(hours=25)
    desk.sync()
    assert desk.article("town:1").answers[0].text == f"Nuevo. {STEPS}"


# --- Broken on purpose: the last good articles stay, the reason is told, nothing hangs


def html(asked: Asked, answer: Answer) -> Answer:
    return Answer(body=b"<html><h1>Log in</h1>", headers={"Content-Type": "text/html"})


def html_that_says_json(asked: Asked, answer: Answer) -> Answer:
    return Answer(body=b"<html><h1>Log in</h1>", headers={"Content-Type": "application/json"})


def cut_off_json(asked: Asked, answer: Answer) -> Answer:
    return Answer(body=answer.body[: len(answer.body) // 2], headers={"Content-Type": "application/json"})


def half_a_page(asked: Asked, answer: Answer) -> Answer:
    length = {"Content-Length": str(len(answer.body) + 10)}
    return Answer(body=answer.body[: len(answer.body) // 2], headers={"Content-Type": "application/json", **length})


def an_empty_list(asked: Asked, answer: Answer) -> Answer:
    return as_json({"topic_list": {"topics": []}, "articles": [], "meta": {"has_more": False}})


def another_shape(asked: Asked, answer: Answer) -> Answer:
    return as_json([1, 2, 3])


def other_names(asked: Asked, answer: Answer) -> Answer:
    return as_json({"topic_list": {"topics": "none"}, "articles": None})


def deep_json(asked: Asked, answer: Answer) -> Answer:
    return Answer(body=b"[" * 1_000_000, headers={"Content-Type": "application/json"})


def not_there(asked: Asked, answer: Answer) -> Answer:
    return Answer(404, b"{}", {"Content-Type": "application/json"})


def out_of_order(asked: Asked, answer: Answer) -> Answer:
    return Answer(500, b"{}", {"Content-Type": "application/json"})


def a_bomb(asked: Asked, answer: Answer) -> Answer:
    return zipped(b"[" + b" " * (MAX_BYTES * 5))


def a_private_redirect(asked: Asked, answer: Answer) -> Answer:
    return Answer(302, b"", {"Location": "http://169.254.169.254/latest/meta-data/"})


def a_circle(asked: Asked, answer: Answer) -> Answer:
    told = json.loads(answer.body or b"{}")
    if "topic_list" in told:
        told["topic_list"]["more_topics_url"] = "/latest?page=0"
    elif "meta" in told:
        told["meta"]["has_more"] = True
        told["links"]["next"] = asked.path
    return as_json(told)


def another_site(asked: Asked, answer: Answer) -> Answer:
    told = json.loads(answer.body or b"{}")
    if "topic_list" in told:
        told["topic_list"]["more_topics_url"] = "//elsewhere.example/latest?page=1"
    elif "meta" in told:
        told["meta"]["has_more"] = True
        told["links"]["next"] = "http://elsewhere.example/api/v2/help_center/articles.json"
    return as_json(told)


BREAKS: dict[Break, str] = {
    html: "answered with text/html",
    html_that_says_json: "JSON that is broken or cut off",
    cut_off_json: "JSON that is broken or cut off",
    half_a_page: "could not be reached, or broke off",
    an_empty_list: "at all",
    another_shape: "JSON of another shape",
    other_names: "has no list of",
    deep_json: "JSON that is broken or cut off",
    not_there: "is not there",
    out_of_order: "answered 500, 4 times in a row",
    a_bomb: "is bigger than 10 MB",
    a_private_redirect: "another site",
    a_circle: "leads in a circle",
    another_site: "of its own|to another site",
}


@pytest.mark.parametrize("kind", ["discourse", "zendesk"])
@pytest.mark.parametrize("broken", BREAKS, ids=lambda broken: broken.__name__)
def test_a_broken_source_costs_no_article(
    desk: Desk, forum: Forum, center: HelpCenter, kind: str, broken: Break
) -> None:
    server: StandIn = forum if kind == "discourse" else center
    desk.add(kind, server.url)
    desk.sync()
    server.broken = broken
    desk.now[0] += timedelta(hours=25)
    with pytest.raises(SourceError, match=BREAKS[broken]) as told:
        desk.sync()
    assert desk.live() == ALL
    row = desk.row()
    assert (row.problem, row.failures) == (str(told.value), 1)
    assert row.next_at == desk.now[0] + timedelta(minutes=15)
    assert len(server.asked) < 60
    server.broken = None
    desk.sync()
    assert (desk.live(), desk.row().problem) == (ALL, None)


def test_a_trickling_source_is_cut_off(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url)
    forum.broken = lambda asked, answer: replace(answer, drip_s=0.05)
    began = time.monotonic()
    with pytest.raises(SourceError, match="was not done within"):
        desk.sync(request_s=0.3)
    assert time.monotonic() - began < 10


def test_a_title_of_four_megabytes_leaves_the_article_as_it_was(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url)
    desk.sync()
    forum.topics[1]["title"] = "x" * 4_000_000
    forum.topics[1]["bumped_at"] = forum.tick()
    done = desk.sync()
    assert done.skipped == [f"{forum.url}/t/router-light-is-red/1 has a title longer than 500 characters"]
    assert (desk.live(), desk.article("town:1").title) == (ALL, TITLES[0])


def test_a_source_that_loses_a_third_at_once_is_not_believed_unless_told_to(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url)
    desk.sync()
    del forum.topics[1], forum.topics[2]
    desk.now[0] += timedelta(hours=25)
    for failures in (1, 2):
        with pytest.raises(NotBelieved, match="only 2 of 4 articles would be left"):
            desk.sync()
        assert (desk.live(), desk.row().failures) == (ALL, failures)
    assert desk.row().next_at == desk.now[0] + timedelta(minutes=30)
    done = desk.sync(believe=True)
    assert (done.articles, done.lapsed, desk.live()) == (2, 2, ALL[2:])
    assert desk.row().problem is None


def test_topics_that_vanish_and_come_back_are_all_there_again(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url)
    desk.sync()
    forum.topics, kept = {4: forum.topics[4]}, forum.topics
    desk.now[0] += timedelta(hours=25)
    with pytest.raises(NotBelieved):
        desk.sync()
    forum.topics = kept
    assert (desk.sync().articles, desk.live()) == (4, ALL)


def test_a_pull_that_runs_out_of_time_goes_on_after_what_it_stored(desk: Desk, forum: Forum) -> None:
    for number in range(10, 40):
        forum.add(
            number,
            f"Question {number} of many",
            f"What about {number * 7919}?",
            f"{number * 104729}: {STEPS}",
            accepted=2,
        )
    desk.add("discourse", forum.url)
    asked = 0

    def tired(one: Asked, answer: Answer) -> Answer:
        nonlocal asked
        asked += 1
        return answer if asked <= 45 else Answer(429, b"", {"Retry-After": "900"})

    forum.broken = tired
    done = desk.sync()
    assert done.paused is not None
    assert done.articles == done.pulled == 25  # a whole batch; the rest is asked for again
    assert desk.row().next_at == desk.now[0] + timedelta(seconds=900)
    forum.broken = None
    forum.paths()
    assert desk.sync().articles == 34
    assert sum(path.startswith("/t/") for path in forum.paths()) == 9


@pytest.mark.parametrize(("wish", "obeyed"), [("3600", timedelta(hours=1)), ("999999999", timedelta(days=7))])
def test_a_source_that_wants_to_be_left_alone_is_and_the_reason_is_told(
    desk: Desk, forum: Forum, wish: str, obeyed: timedelta
) -> None:
    desk.add("discourse", forum.url)
    desk.sync()
    before = desk.row().synced_at
    desk.now[0] += timedelta(minutes=30)
    forum.broken = lambda asked, answer: Answer(429, b"", {"Retry-After": wish})
    assert desk.sync().articles == len(ALL)
    row = desk.row()
    assert (row.next_at, row.synced_at, row.failures) == (desk.now[0] + obeyed, before, 1)
    assert row.problem == f"{forum.url}/latest.json answered 429 and asks to be left alone for {wish} seconds"
    forum.broken = None
    desk.sync()
    assert desk.row().problem is None


# --- Trust


def test_only_approved_threads_and_only_as_they_were_approved(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url, trust="approved")
    assert desk.sync().articles == 0
    assert desk.left_out() == {"not approved": 4}
    with desk.wiring.pool.connection() as conn:
        assert threads.approve(conn, "town:1") == "town"
        assert threads.approve(conn, "town:99") is None
        settle(conn, desk.row(), NOW, Synced())
    assert desk.live() == ["town:1"]
    forum.reply(1, "I would do it the other way round.")
    desk.sync(believe=True)
    assert (desk.live(), desk.left_out()) == ([], {"not approved": 4})


@pytest.mark.parametrize(("trust", "expected"), [("accepted", ALL[1:]), ("solved", ALL[1:])])
def test_an_unsolved_thread_is_no_article(desk: Desk, forum: Forum, trust: str, expected: list[str]) -> None:
    forum.topics[1]["accepted"] = None
    desk.add("discourse", forum.url, trust=trust)
    desk.sync()
    assert desk.live() == expected


def test_threads_grow_too_old_though_nothing_changes(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url, max_age_days=30)
    desk.sync()
    assert desk.live() == ALL
    desk.now[0] = datetime(2026, 12, 1, 12, tzinfo=UTC)
    desk.sync()
    assert (desk.live(), desk.left_out()) == (ALL[1:], {"too old": 1})


def test_what_a_manager_withdrew_stays_withdrawn(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url)
    desk.sync()
    with desk.wiring.pool.connection() as conn:
        assert articles.withdraw(conn, ["town:1"]) == ["town:1"]
    forum.reply(1, "Thanks, that helped me too.")
    desk.now[0] += timedelta(hours=25)
    desk.sync()
    assert desk.live() == ALL[1:]


def test_a_lapsed_article_can_be_neither_offered_nor_texted(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url)
    desk.sync()
    forum.topics[1]["closed"] = True
    desk.now[0] += timedelta(hours=25)
    desk.sync()
    with desk.wiring.pool.connection() as conn:
        assert articles.state(conn, "town:1") == "withdrawn"
        assert articles.card(conn, "town:1") is None
        seen = texts.asked(
            conn, call_sid="CA1", article_id="town:1", to_key="k", prefix_key="p", now=desk.wiring.clock()
        )
        assert seen.article == "withdrawn"


def test_an_author_who_opted_out_is_not_named(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url, name_authors=True)
    with desk.wiring.pool.connection() as conn:
        articles.unname(conn, "member2")
    desk.sync()
    found = desk.article("town:1")
    assert (found.author, found.answers[0].author) == ("member1", None)


def test_two_processes_do_not_sync_one_source(desk: Desk, forum: Forum, db: Connection) -> None:
    desk.add("discourse", forum.url)
    with sources.alone(db, "town") as free:
        assert free
        with pytest.raises(SourceError, match="another process is syncing it"):
            desk.sync()
    assert desk.sync().articles == 4


def test_a_sync_killed_before_it_settles_is_settled_by_the_next_one(
    desk: Desk, forum: Forum, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.add("discourse", forum.url)
    desk.sync()
    forum.reply(1, "This does not work any more since the last update.", "someone")

    def killed(*_: object, **more: object) -> None:
        raise SystemExit  # nothing of ours runs after a kill: no problem is noted

    with monkeypatch.context() as patched:
        patched.setattr("ivr.syncing.settle", killed)
        with pytest.raises(SystemExit):
            desk.sync()
    assert (desk.live(), desk.row().problem, desk.row().unsettled) == (ALL, None, True)
    assert (desk.sync().pulled, desk.live(), desk.row().unsettled) == (0, ALL[1:], False)
    with monkeypatch.context() as patched:
        patched.setattr("ivr.syncing.settle", killed)
        assert desk.sync().articles == 3  # nothing changed: nothing to settle


def test_all_is_read_again_when_asked(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url)
    desk.sync()
    assert desk.sync(anew=True).pulled == 4


def test_an_unexpected_error_is_told_and_costs_nothing(
    desk: Desk, forum: Forum, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.add("discourse", forum.url)
    desk.sync()

    def fails(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr("search.sources.discourse._accepted", fails)
        with pytest.raises(ZeroDivisionError):
            desk.sync(anew=True)
    assert desk.row().problem == "failed unexpectedly (ZeroDivisionError)"
    assert desk.live() == ALL
