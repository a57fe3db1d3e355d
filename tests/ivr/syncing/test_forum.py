"""A Discourse stand-in synced, changed and deleted from."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import Connection

from models import sources
from search.sources import fetching
from search.sources.source import SourceError
from tests.ivr.syncing.conftest import ALL, NOW, TITLES, WORDS, Desk
from tests.search.sources.standins import STEPS, Answer, Asked, Forum, as_json


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


def test_what_is_gone_is_seen_at_once_by_who_asks_for_a_sync(desk: Desk, forum: Forum, db: Connection) -> None:
    desk.add("discourse", forum.url)
    desk.sync()
    del forum.topics[1]  # on the second page
    assert desk.sync().lapsed == 0
    assert desk.sync(whole=True).lapsed == 1
    forum.per_page = 30
    forum.add(5, "Fifth", "A question?", f"Fifth: {STEPS}", accepted=2)
    del forum.topics[2]
    assert desk.sync().lapsed == 1  # the list was read to its end anyhow
    forum.per_page = 1
    desk.sync()
    forum.add(6, "Sixth", "A question?", f"Sixth: {STEPS}", accepted=2)
    del forum.topics[3]
    sources.ask(db, "town", NOW)  # at the console
    assert (desk.sync().lapsed, desk.live()) == (1, ["town:4", "town:5", "town:6"])


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


def test_a_thread_whose_accepted_answer_was_deleted_is_no_article(desk: Desk, forum: Forum) -> None:
    forum.topics[1]["accepted"] = 7  # which is not there
    desk.add("discourse", forum.url)
    assert desk.sync().skipped == []
    assert (desk.live(), desk.left_out()) == (ALL[1:], {"no accepted answer": 1})
    with desk.wiring.pool.connection() as conn:
        conn.execute("UPDATE sources SET trust = 'solved'")
    desk.sync(anew=True)
    assert (desk.live(), desk.left_out()) == (ALL[1:], {"not solved": 1})


def test_one_topic_that_cannot_be_read_keeps_no_other_from_being_read(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url)
    desk.sync()
    for number in (1, 2, 3):
        forum.reply(number, "Thank you, that was it.")
    forum.broken = lambda asked, answer: Answer(500) if asked.path == "/t/2.json" else answer
    for pulled in (2, 0):
        done = desk.sync()
        assert (done.pulled, done.skipped) == (pulled, [f"{forum.url}/t/2.json answered 500, 4 times in a row"])
    assert (desk.live(), desk.row().problem) == (ALL, None)
    del forum.topics[4]
    desk.now[0] += timedelta(hours=25)
    assert (desk.sync().lapsed, desk.live()) == (1, ALL[:3])
    forum.broken = None
    assert desk.sync().pulled == 1  # asked for again by each sync, while it is new
    assert desk.article("town:2").answers[-1].text == "Thank you, that was it."


def test_a_forum_whose_topics_cannot_be_read_is_told_of_after_six(desk: Desk, forum: Forum) -> None:
    for number in range(5, 20):
        forum.add(number, f"Topic {number}", "A question?", f"{number}: {STEPS}", accepted=2)
    desk.add("discourse", forum.url)
    forum.broken = lambda asked, answer: Answer(200, b"<p>", answer.headers) if "/t/" in asked.path else answer
    with pytest.raises(SourceError, match="JSON that is broken"):
        desk.sync()
    assert len([path for path in forum.paths() if "/t/" in path]) == 6


def test_one_topic_too_big_to_be_listed_is_left_out_alone(
    desk: Desk, forum: Forum, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MAX_BYTES", 50_000)
    forum.per_page = 30
    for number in range(10, 45):
        forum.add(number, f"Topic {number}", "A question?", f"{number * 7919}: {STEPS}", accepted=2)
    desk.add("discourse", forum.url)
    desk.sync()
    live = desk.live()
    forum.topics[40]["title"] = "x" * 60_000
    forum.topics[40]["bumped_at"] = forum.tick()
    forum.add(50, "Topic 50", "A question?", f"Fifty: {STEPS}", accepted=2)
    done = desk.sync()
    assert done.skipped == [
        f"topic 2 of the list, by activity: {forum.url}/latest.json is bigger than 0 MB",
    ]
    assert sorted(desk.live()) == sorted([*live, "town:50"])
    desk.now[0] += timedelta(hours=25)
    assert desk.sync().skipped[1:] == [f"{forum.url}/t/40.json is bigger than 0 MB"]
    assert sorted(desk.live()) == sorted([*live, "town:50"])


def test_what_cannot_be_read_stays_on_record_until_it_can(desk: Desk, forum: Forum) -> None:
    desk.add("discourse", forum.url)
    desk.sync()
    assert desk.row().unread == []
    kept, forum.topics[1]["title"] = forum.topics[1]["title"], "x" * 501
    forum.topics[1]["bumped_at"] = forum.tick()
    desk.sync()
    told = [f"{forum.url}/t/router-light-is-red/1 has a title longer than 500 characters"]
    assert desk.row().unread == told
    desk.sync()  # nothing is new: nothing is asked for
    assert desk.row().unread == told
    forum.topics[1]["title"] = kept
    desk.now[0] += timedelta(hours=25)
    desk.sync()
    assert desk.row().unread == []


def test_a_list_that_is_too_big_whatever_is_asked_for_is_told(
    desk: Desk, forum: Forum, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.add("discourse", forum.url)
    desk.sync()
    forum.paths()
    monkeypatch.setattr(fetching, "MAX_BYTES", 500)
    desk.now[0] += timedelta(hours=25)
    with pytest.raises(SourceError, match=r"latest\.json is bigger than 0 MB"):
        desk.sync()
    assert (desk.live(), len(forum.paths())) == (ALL, 5)


def test_values_that_no_table_holds_cost_no_other_thread(desk: Desk, forum: Forum) -> None:
    forum.topics[1] |= {"tags": ["a\ud800", "b\0"], "slug": "a\0\ud800", "created_at": "0001-01-01T00:00:00+14:00"}
    forum.topics[2]["title"] = "\0\ud800"
    desk.add("discourse", forum.url)
    done = desk.sync()
    assert (len(done.skipped), desk.live()) == (1, [ALL[0], *ALL[2:]])
    assert (desk.article("town:1").url, desk.article("town:1").tags) == ("", ("a", "b"))


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
