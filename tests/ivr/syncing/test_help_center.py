"""A Zendesk stand-in synced, changed and deleted from."""

import json
import re
from datetime import timedelta

import pytest

from search.sources import fetching
from search.sources.source import SourceError
from tests.ivr.syncing.conftest import ALL, TITLES, Desk
from tests.search.sources.standins import STEPS, Answer, Asked, HelpCenter, as_json


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


def test_a_help_center_with_two_names_or_older_pages_is_read_to_its_end(desk: Desk, center: HelpCenter) -> None:
    def named(asked: Asked, answer: Answer) -> Answer:
        return Answer(body=answer.body.replace(center.url.encode(), b"https://other.example"), headers=answer.headers)

    def older(asked: Asked, answer: Answer) -> Answer:
        told = json.loads(answer.body)
        return as_json({"articles": told["articles"], "next_page": told["links"]["next"]})

    desk.add("zendesk", center.url)
    for broken in (named, older):
        center.broken = broken
        assert desk.sync(anew=True).articles == 4
        assert len(center.paths()) == 2


def test_a_page_of_long_articles_is_asked_for_in_halves(
    desk: Desk, center: HelpCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MAX_BYTES", 5_000)
    center.page = 50
    for place in range(1, 5):
        center.articles[place]["body"] += f"<p>{'x' * 3_000}</p>"
    desk.add("zendesk", center.url)
    assert desk.sync().articles == 4
    center.articles[2]["body"] += f"<p>{'x' * 3_000}</p>"
    desk.now[0] += timedelta(hours=25)
    with pytest.raises(SourceError, match="is bigger than 0 MB"):
        desk.sync()
    assert desk.live() == ALL


def test_an_export_that_brings_the_same_again_ends(
    desk: Desk, center: HelpCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_TOWN", "agent@example.com/token:k")
    desk.add("zendesk", center.url, credentials="SOURCE_TOWN")
    desk.sync()
    center.paths()

    def endless(asked: Asked, answer: Answer) -> Answer:
        start = int(asked.first("start_time"))
        return as_json({"articles": [center.articles[1]], "end_time": start + 1, "next_page": center.url})

    center.broken = endless
    desk.sync()
    assert len(center.paths()) == 2


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
