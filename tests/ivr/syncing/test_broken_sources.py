"""Broken on purpose, one way at a time: the last good articles stay, the reason is told, nothing hangs."""

import json
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from ivr.syncing import NotBelieved
from search.sources.fetching import MAX_BYTES
from search.sources.source import SourceError
from tests.ivr.syncing.conftest import ALL, TITLES, Desk
from tests.search.sources.standins import STEPS, Answer, Asked, Break, Forum, HelpCenter, StandIn, as_json, zipped


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
        told["meta"]["after_cursor"] = None
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


def test_a_forum_that_lists_nothing_at_once_is_told_of(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url)
    desk.sync()
    forum.broken = an_empty_list
    with pytest.raises(SourceError, match="lists no topic at all"):
        desk.sync()
    assert desk.live() == ALL


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
