"""Calls are found and told as stories; numbers stay masked; a call is led once more through another menu."""

import ast
import html
import re
from collections.abc import MutableMapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from werkzeug.test import TestResponse

import ivr
from ivr.console import calls as work
from ivr.console import details
from ivr.jobs.summarize import summarize_calls
from ivr.planfile import editing
from ivr.wiring import Wiring
from models import audit, call_lists, drafts, facts, plans
from models.call_lists import Wanted
from tests.ivr.web.conftest import CALL, CALLER, Carrier, Clock
from tests.ivr.web.console.conftest import SignedIn

STORY = f"/console/calls/{CALL}"


def words(answer: TestResponse) -> str:
    """What a page says, tags taken out."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


@pytest.fixture
def call(carrier: Carrier, clock: Clock, wiring: Wiring) -> str:
    """A caller with a red light on the router takes the text and hangs up."""
    carrier.call("/voice/incoming", CallStatus="ringing")
    clock.on(5)
    carrier.call("/voice/menu?turn=1", Digits="3")
    clock.on(5)
    carrier.call("/voice/menu?turn=2", Digits="1")
    clock.on(5)
    waited, document = 0, hold(carrier, 0, 7)
    while "Router light" not in document and "To get the steps" not in document:
        clock.on(20)
        waited += 20
        document = hold(carrier, waited, 7)
    clock.on(20)
    (turn,) = re.findall(r"hold-key\?turn=(\d+)", document)
    carrier.call(f"/voice/hold-key?turn={turn}", Digits="1")
    clock.on(20)
    carrier.call("/voice/queue-result?turn=99", QueueResult="hangup", QueueTime=str(waited + 40))
    return CALL


def hold(carrier: Carrier, waited_s: int, position: int) -> str:
    answer = carrier.call("/voice/hold", QueueTime=str(waited_s), QueuePosition=str(position), CallStatus="in-progress")
    return answer.get_data(as_text=True)


def test_a_call_of_just_now_is_listed_before_it_is_summarized(call: str, signed_in: SignedIn) -> None:
    page = signed_in("viewer").get("/console/calls")
    assert call in page.text
    assert "of just now" in words(page)


def test_a_call_is_found_by_what_it_came_to(call: str, wiring: Wiring, signed_in: SignedIn) -> None:
    summarize_calls(wiring)
    viewer = signed_in("viewer")
    with wiring.pool.connection() as conn:
        (row,) = call_lists.find(conn, Wanted(), 2)
    fitting = {
        "queue": row.queue, "leaf": row.leaf, "article": row.article, "outcome": row.outcome,
        "since": "2026-11-23", "until": "2026-11-23",
    }  # fmt: skip
    others = {
        "queue": "other", "leaf": "other", "article": "other", "outcome": "reversed",
        "since": "2026-11-24", "until": "2026-11-22",
    }  # fmt: skip
    assert call in viewer.get("/console/calls", query_string=fitting).text
    for name, value in others.items():
        assert call not in viewer.get("/console/calls", query_string={**fitting, name: value}).text, name
    assert "A day, such as 2026-11-22." in words(viewer.get("/console/calls?since=yesterday"))


def test_a_call_is_found_by_the_minute_it_began(call: str, wiring: Wiring, signed_in: SignedIn) -> None:
    summarize_calls(wiring)
    viewer = signed_in("viewer")
    with wiring.pool.connection() as conn:
        (row,) = call_lists.find(conn, Wanted(), 2)
        zone = ZoneInfo(wiring.plans.live(conn).queues["general"].hours.zone)
    began = row.started_at.astimezone(zone)
    day, times = f"{began:%Y-%m-%d}", [f"{began + timedelta(minutes=n):%H:%M}" for n in (-1, 0, 1)]
    for since, until, there in ((0, 0, True), (-1, 1, True), (1, 1, False), (-1, -1, False)):
        asked = {"since": day, "since_at": times[since + 1], "until": day, "until_at": times[until + 1]}
        assert (call in viewer.get("/console/calls", query_string=asked).text) == there, asked
    for wrong, told in (
        ({"since": day, "since_at": "noon"}, "A time of day, such as 14:30."),
        ({"until_at": "14:30"}, "Name the day, too."),
    ):
        answer = viewer.get("/console/calls", query_string=wrong)
        assert answer.status_code == 422
        assert told in words(answer)


def test_an_address_of_someone_elses_making_leads_nowhere_else(
    call: str, wiring: Wiring, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    summarize_calls(wiring)
    with wiring.pool.connection() as conn:
        found = work.find(conn, wiring, Wanted())
    monkeypatch.setattr(work, "find", lambda *_: replace(found, more=True))
    viewer = signed_in("viewer")
    for query in ("endpoint=x", "_method=POST", "_external=1&_scheme=javascript", "values=1", "_anchor=x"):
        answer = viewer.get(f"/console/calls?leaf={found.rows[0].leaf}&{query}")
        assert answer.status_code == 200, query
        (older,) = re.findall(r'class="pager"><a href="([^"]*)"', answer.text)
        assert older.startswith("/console/calls?before=")
        assert older.endswith(f"&amp;leaf={found.rows[0].leaf}")


def test_a_call_is_found_by_its_number_which_is_in_no_address_and_no_log(
    call: str, wiring: Wiring, signed_in: SignedIn, logged: list[MutableMapping[str, Any]]
) -> None:
    viewer = signed_in("viewer")
    for written in ("(202) 555-0143", CALLER, "+1 202 555 0143"):
        found = viewer.post_form("/console/calls", number=written)
        assert (found.status_code, call in found.text) == (200, True)
        assert "5550143" not in re.sub(r"\D", "", words(found))
    assert call not in viewer.post_form("/console/calls", number="+12025550144").text
    assert "5550143" not in str(logged)
    wrong = viewer.post_form("/console/calls", number="twelve")
    assert (wrong.status_code, 'value="twelve"' in wrong.text) == (422, True)
    assert "This is no telephone number." in words(wrong)


def test_older_calls_follow_page_by_page(wiring: Wiring, signed_in: SignedIn, clock: Clock) -> None:
    with wiring.pool.connection() as conn:
        conn.execute(
            "INSERT INTO calls (call_sid, number, caller_key, language, plan_version, test, stage, state, reply,"
            " started_at, updated_at, ended_at) SELECT 'CA' || lpad(n::text, 32, '0'), '+15005550006', 'k', 'en', 1,"
            " false, 'ended', '{}', '', %(at)s - n / 3 * interval '1 minute', %(at)s, %(at)s"
            " FROM generate_series(1, 120) n",
            {"at": clock()},
        )
        conn.execute(
            "INSERT INTO facts (call_sid, name, at, plan_version, data) SELECT call_sid, 'call_started', started_at, 1,"
            ' \'{"caller": "mobile"}\' FROM calls'
        )
    summarize_calls(wiring)
    viewer, address, seen = signed_in("viewer"), "/console/calls", []
    for _ in range(3):
        page = viewer.get(address)
        seen += re.findall(r'href="/console/calls/(CA\d{32})"', page.text)
        older = re.search(r'class="pager"><a href="([^"]+)"', page.text)
        address = html.unescape(older[1]) if older else ""
    assert address == ""
    assert (len(seen), len(set(seen))) == (120, 120)


def test_a_story_is_told_turn_by_turn(call: str, signed_in: SignedIn) -> None:
    said = words(signed_in("viewer").get(STORY))
    for sentence in ("A call came in", "Took a choice of the menu", "The search found an article", "Joined the queue"):
        assert sentence in said
    assert "Router light stays red" in said
    assert "menu 1" in said
    assert "Hung up while holding" in said


def test_a_story_is_told_in_spanish(call: str, signed_in: SignedIn) -> None:
    viewer = signed_in("viewer")
    viewer.post_form("/console/language", language="es")
    said = words(viewer.get(STORY))
    assert "Tipo de número mobile" in said
    assert "Con tecla" in said
    assert "Cola technical" in said


def test_what_facts_say_has_words_for_each_field() -> None:
    calls = [
        node
        for file in Path(ivr.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Fact" and len(node.args) > 1
    ]
    dicts = [part for call in calls for part in ast.walk(call.args[1]) if isinstance(part, ast.Dict)]
    names = {key.value for found in dicts for key in found.keys if isinstance(key, ast.Constant)}
    assert len(names) > 10
    assert names - details.DETAILS.keys() - {"text_id", "message_sid"} == set()


def test_words_are_shown_to_editors_and_come_out_as_text(
    carrier: Carrier, wiring: Wiring, signed_in: SignedIn, clock: Clock
) -> None:
    carrier.call("/voice/incoming", CallStatus="ringing")
    with wiring.pool.connection() as conn:
        conn.execute(
            "INSERT INTO transcripts (call_sid, turn, sealed, at) VALUES (%s, 1, %s, %s)",
            (CALL, wiring.numbers.seal("<script>alert(1)</script> my light"), clock()),
        )
    assert "my light" not in signed_in("viewer").get(STORY).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; my light" in signed_in("editor").get(STORY).text


def test_a_number_is_masked_until_an_admin_says_why(call: str, wiring: Wiring, signed_in: SignedIn) -> None:
    admin = signed_in("admin")
    before = admin.get(STORY)
    assert "+1••••••••43" in before.text
    assert CALLER not in before.text
    assert admin.post_form(f"{STORY}/number").status_code == 422
    assert signed_in("editor").post_form(f"{STORY}/number").status_code == 403
    shown = admin.post_form(f"{STORY}/number", why="the caller asked us to call back")
    assert CALLER in shown.text
    with wiring.pool.connection() as conn:
        (line,) = audit.find(conn, what="number.show")
    assert (line.on, line.why, line.before, line.after) == (
        f"call {CALL}", "the caller asked us to call back", None, None,
    )  # fmt: skip


def test_a_call_nobody_knows_is_not_found(signed_in: SignedIn) -> None:
    assert signed_in("viewer").get("/console/calls/CA0").status_code == 404


def test_the_live_menu_does_with_a_call_what_it_did(call: str, signed_in: SignedIn) -> None:
    said = words(signed_in("editor").get(f"{STORY}/replay"))
    assert "It would go the same way." in said


def test_a_draft_that_never_offers_here_would_not_offer(call: str, wiring: Wiring, signed_in: SignedIn) -> None:
    with wiring.pool.connection() as conn:
        text = plans.yaml(conn, 1) or ""
        held = next(row for row in facts.of_call(conn, call) if row.name == "held")
        careful = editing.change_leaf(text, held.data["leaf"], {"never_offer": "true", "pinned": None})
        draft = drafts.begin(conn, "careful", careful, 1, "tests", wiring.clock())
        count = facts.count(conn)
    said = words(signed_in("editor").get(f"{STORY}/replay?draft={draft}"))
    assert "It would go differently." in said
    assert "Nothing is ever offered here" in said or "never_offer" in said
    with wiring.pool.connection() as conn:
        assert facts.count(conn) == count


def test_a_draft_without_the_choice_says_so(call: str, wiring: Wiring, signed_in: SignedIn) -> None:
    with wiring.pool.connection() as conn:
        text = plans.yaml(conn, 1) or ""
        held = next(row for row in facts.of_call(conn, call) if row.name == "held")
        draft = drafts.begin(
            conn, "smaller", editing.remove_choice(text, tuple(held.data["path"])), 1, "tests", wiring.clock()
        )
    said = words(signed_in("editor").get(f"{STORY}/replay?draft={draft}"))
    assert f"Here this menu has no choice “{held.data['path'][-1]}” to take." in said
