"""Today, its switches and its incidents, as staff see and pull them."""

import html
import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from ivr import kept_texts
from ivr.app import create_app
from ivr.console import today as figures
from ivr.wiring import Wiring
from models import articles, audit, facts, incidents, switches, texts
from tests.ivr.web.conftest import CALL, Carrier, Clock
from tests.ivr.web.console.conftest import ConsoleClient, SignedIn

MESSAGE = {"message-en": "The Internet is down in Maple Street.", "message-es": "No hay Internet en la calle Maple."}
NEWS = {"news-en": "Back by 3 pm.", "news-es": "Vuelve a las 3."}
#: the clock of the tests is at 10:00 in New York
UNTIL = "2026-11-23T12:00"


def words(answer: object) -> str:
    """What a page says, tags taken out."""
    text = answer.get_data(as_text=True)  # type: ignore[attr-defined]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def hold(carrier: Carrier, waited_s: int, position: int) -> str:
    answer = carrier.call("/voice/hold", QueueTime=str(waited_s), QueuePosition=str(position), CallStatus="in-progress")
    return answer.get_data(as_text=True)


def to_hold(carrier: Carrier) -> None:
    """To the queue of a red light on the router."""
    carrier.call("/voice/incoming", CallStatus="ringing")
    carrier.call("/voice/menu?turn=1", Digits="3")
    carrier.call("/voice/menu?turn=2", Digits="1")


def test_the_console_begins_with_today(signed_in: SignedIn) -> None:
    assert signed_in("viewer").get("/console/").headers["Location"].endswith("/today")


def test_today_shows_who_waits_and_what_callers_did(carrier: Carrier, clock: Clock, signed_in: SignedIn) -> None:
    to_hold(carrier)
    hold(carrier, 0, 7)
    clock.on(15)
    hold(carrier, 15, 7)
    clock.on(20)
    hold(carrier, 35, 7)
    clock.on(25)
    hold(carrier, 60, 6)
    clock.on(15)
    said = words(signed_in("viewer").get("/console/today"))
    assert "1 on hold" in said
    assert "0 in menus" in said
    assert "technical 1 1:15 min 1:15 min #6" in said
    assert "1 offers made 0 taken 0 texts sent" in said


def test_a_call_that_is_at_a_menu_is_counted_there_until_it_is_heard_no_more_of(
    carrier: Carrier, clock: Clock, wiring: Wiring
) -> None:
    carrier.call("/voice/incoming", CallStatus="ringing")
    assert figures.now(wiring).in_menus == 1
    clock.on(200)
    assert figures.now(wiring).in_menus == 0


def test_the_day_begins_at_midnight_of_the_default_queues_zone(clock: Clock, wiring: Wiring) -> None:
    with wiring.pool.connection() as conn:
        for hours in (9.5, 10.5):
            facts.add(conn, CALL, "offered", clock() - timedelta(hours=hours), {"article": "a"})
        facts.add(conn, CALL, "sent", clock(), {"text_id": "t", "kind": "status"})
    told = figures.now(wiring)
    assert told.since.isoformat() == "2026-11-23T05:00:00+00:00"
    assert (told.counts["offered"], told.counts["sent"]) == (1, 0)


def part(wiring: Wiring, name: str) -> figures.Part:
    return next(one for one in figures.now(wiring).parts if str(one.name) == name)


def test_every_part_tells_how_it_is(clock: Clock, wiring: Wiring, token: str) -> None:
    assert (part(wiring, "Database").state, part(wiring, "Menu").state) == ("good", "good")
    assert (part(wiring, "Search").state, part(wiring, "Worker").state) == ("warn", "bad")
    assert str(part(wiring, "Phone company").words).startswith("It never called here.")
    clock.on(1)
    assert part(wiring, "Texts").state == "bad"  # the text of `token` is a minute old and nobody sends it
    with wiring.pool.connection() as conn:
        conn.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
        texts.cancel_to(conn, "key", clock(), "opted_out")
    assert str(part(wiring, "Texts").words) == "None waits."
    assert part(wiring, "Worker").state == "good"
    assert str(part(wiring, "Phone company").words) == "Heard of just now."


def test_a_pinned_article_that_is_gone_is_warned_of(wiring: Wiring, signed_in: SignedIn) -> None:
    with wiring.pool.connection() as conn:
        articles.withdraw(conn, ["router-light-red"])
    said = words(signed_in("viewer").get("/console/today"))
    assert "Leaf internet-red-light pins article router-light-red, which is withdrawn: no offer." in said
    assert "which is not there: no offer." in said  # the starter community was not imported


def test_without_a_menu_today_still_opens(wiring: Wiring, signed_in: SignedIn) -> None:
    with wiring.pool.connection() as conn:
        conn.execute("DELETE FROM live_plan")
    said = words(signed_in("editor").get("/console/today"))
    assert "No menu is published yet, so there is no queue." in said
    assert "None is published, so no call can be led anywhere." in said


@pytest.mark.parametrize("path", ["now", "controls"])
def test_the_live_parts_are_parts_only(path: str, signed_in: SignedIn) -> None:
    answer = signed_in("viewer").get(f"/console/today/{path}")
    assert answer.status_code == 200
    assert "<html" not in answer.get_data(as_text=True)


def test_a_viewer_sees_the_switches_and_cannot_pull_them(signed_in: SignedIn) -> None:
    viewer = signed_in("viewer")
    assert "Stop all offers" not in words(viewer.get("/console/today"))
    assert viewer.post_form("/console/today/offers", queue="", stopped="on", why="x").status_code == 403


def test_the_big_switch_is_felt_on_the_next_hold_turn_and_says_who_and_why(
    carrier: Carrier, clock: Clock, wiring: Wiring, signed_in: SignedIn
) -> None:
    to_hold(carrier)
    hold(carrier, 0, 7)
    editor = signed_in("editor")
    answer = editor.post_form("/console/today/offers", queue="", stopped="on", why="<b>Wrong</b> steps about")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/today")
    page = editor.get("/console/today").get_data(as_text=True)
    assert "&lt;b&gt;Wrong&lt;/b&gt; steps about" in page
    assert "all stopped" in page
    with wiring.pool.connection() as conn:
        wiring.queues.look(conn)  # as the thread of a web process does at the news
    clock.on(15)
    assert "While you hold" not in hold(carrier, 15, 7)
    editor.post_form("/console/today/offers", queue="", stopped="off", why="Steps are right again")
    with wiring.pool.connection() as conn:
        wiring.queues.look(conn)
        noted = [(one.what, one.on, one.before, one.after, one.why) for one in audit.find(conn, limit=9)]
    clock.on(25)
    assert "While you hold" in hold(carrier, 40, 7)
    assert noted == [
        ("offers.start", "all queues", {"stopped": True}, {"stopped": False}, "Steps are right again"),
        ("offers.stop", "all queues", {"stopped": False}, {"stopped": True}, "<b>Wrong</b> steps about"),
    ]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"queue": "", "why": " "}, "Say why: it stands in the audit log."),
        ({"queue": "", "why": "x" * 301}, "At most 300 letters, please."),
        ({"queue": "nowhere", "why": "x"}, "There is no queue 'nowhere'."),
    ],
)
def test_a_switch_pulled_wrongly_says_so(fields: dict[str, str], told: str, signed_in: SignedIn) -> None:
    answer = signed_in("editor").post_form("/console/today/offers", stopped="on", **fields)
    assert answer.status_code == 422
    assert told in words(answer)


def begin(client: ConsoleClient, **changed: object) -> object:
    fields = {**MESSAGE, **NEWS, "at": ["internet"], "until": UNTIL, "why": "A cable was cut", **changed}
    return client.post_form("/console/today/incidents", **fields)


def test_an_incident_is_told_and_its_text_leads_to_a_page(
    carrier: Carrier, clock: Clock, wiring: Wiring, signed_in: SignedIn
) -> None:
    editor = signed_in("editor")
    assert begin(editor).status_code == 303  # type: ignore[attr-defined]
    carrier.call("/voice/incoming", CallStatus="ringing")
    carrier.call("/voice/menu?turn=1", Digits="3")
    joined = carrier.call("/voice/menu?turn=2", Digits="1").get_data(as_text=True)
    assert joined.index("The Internet is down in Maple Street.") < joined.index("You are now in line")
    assert "To get news of the problem by text, press 1." in hold(carrier, 0, 7)
    clock.on(10)
    carrier.call("/voice/hold-key?turn=4", Digits="1")
    with wiring.pool.connection() as conn:
        text = kept_texts.opened(wiring, texts.of_call(conn, CALL)[0])
        names = [one.name for one in facts.of_call(conn, CALL)]
    assert (text.kind, text.article_id) == ("status", "incident:1")
    assert text.body.startswith("Lumora: Back by 3 pm. http")
    assert names[-2:] == ["news_asked", "news_queued"]
    browser = editor.application.test_client()
    shown = browser.get(f"/r/{text.token}")
    assert (shown.status_code, "Back by 3 pm." in words(shown)) == (200, True)
    assert browser.post(f"/r/{text.token}/solved").status_code == 200
    clock.on(3 * 3600)
    assert "This notice is no longer current." in words(browser.get(f"/r/{text.token}"))
    with wiring.pool.connection() as conn:  # a visit to news is no fact of the call, and solves nothing
        assert [one.name for one in facts.of_call(conn, CALL)] == names


def test_an_incident_stands_on_today_and_is_ended_there(wiring: Wiring, signed_in: SignedIn) -> None:
    editor = signed_in("editor")
    begin(editor, at=["internet/red-light", "billing"])
    said = words(editor.get("/console/today"))
    assert "Incident 1 callers hear it now" in said
    assert "Callers your bill or account › a double charge, " in said
    assert ", Internet › a red light on the router By text" in said
    answer = editor.post_form("/console/today/incidents/1/end", why="Mended")
    assert answer.status_code == 303
    assert "Incident 1" not in words(editor.get("/console/today"))
    over = words(editor.get("/console/today/incidents"))
    assert "Ended by Editor 1: Mended" in over
    assert "Begun by Editor 1: A cable was cut" in over
    assert editor.post_form("/console/today/incidents/1/end", why="Mended").status_code == 422
    with wiring.pool.connection() as conn:
        assert [one.what for one in audit.find(conn, limit=9)] == ["incident.end", "incident.start"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"message-es": ""}, "Callers of this language hear nothing"),
        ({"message-en": "Call 18005550100 now"}, "a voice reads as one big number"),
        ({"message-en": "word " * 46}, "This takes 46 words to say; at most 45."),
        ({"message-en": "See <b>here</b>"}, "holds markup"),
        ({"news-en": ""}, "Write it in every language, or in none"),
        ({"news-en": "word " * 60}, "This makes a text of 3 parts; at most 2."),
        ({"at": []}, "Tick the leaves it concerns, or all callers."),
        ({"at": ["no/such/place"]}, "Tick the leaves it concerns, or all callers."),
        ({"until": "2026-11-23T09:00"}, "This time has passed."),
        ({"until": "2026-12-23T09:00"}, "At most 7 days; begin it anew if it lasts."),
        ({"until": "tomorrow"}, "Say until when callers should hear it; you can end it sooner."),
        ({"why": ""}, "Say why: it stands in the audit log."),
    ],
)
def test_an_incident_told_wrongly_begins_not_and_keeps_what_was_typed(
    changed: dict[str, object], told: str, wiring: Wiring, signed_in: SignedIn
) -> None:
    answer = begin(signed_in("editor"), **changed)
    page = answer.get_data(as_text=True)  # type: ignore[attr-defined]
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert told in words(answer)
    if "message-en" not in changed:
        assert "The Internet is down in Maple Street." in page
    if "at" not in changed:
        assert 'value="internet" checked' in page
    with wiring.pool.connection() as conn:
        assert incidents.latest(conn) == []


def test_all_callers_need_no_leaf(wiring: Wiring, signed_in: SignedIn) -> None:
    begin(signed_in("editor"), at=[], everyone="on")
    with wiring.pool.connection() as conn:
        (one,) = incidents.latest(conn)
    assert one.leaves is None
    assert one.until.isoformat() == "2026-11-23T17:00:00+00:00"


def test_the_form_proposes_two_hours_and_shows_the_menu_as_a_tree(signed_in: SignedIn) -> None:
    page = signed_in("editor").get("/console/today/incidents/new").get_data(as_text=True)
    assert f'value="{UNTIL}"' in page
    assert '<li class="in-1"><label><input type="checkbox" name="at" value="internet/red-light">' in page


def run(wiring: Wiring, *args: str) -> Callable[[], str]:
    done = create_app(wiring).test_cli_runner().invoke(args=list(args))
    return lambda: done.output


def test_the_terminal_pulls_the_same_switches(wiring: Wiring) -> None:
    said = run(wiring, "offers", "stop", "--queue", "technical", "--why", "Steps are wrong", "--by", "kim")()
    assert said.startswith("Offers of queue technical are stopped")
    assert "technical        stopped by kim, 2026-11-23 15:00: Steps are wrong" in run(wiring, "offers", "list")()
    assert "There is no queue 'x'." in run(wiring, "offers", "stop", "--queue", "x", "--why", "y")()
    run(wiring, "offers", "start", "--queue", "technical", "--why", "Right again", "--by", "kim")()
    with wiring.pool.connection() as conn:
        assert switches.stopped(conn) == []
        assert [one.stopped for one in switches.history(conn)] == [False, True]
        assert {one.who for one in audit.find(conn, limit=9)} == {"cli:kim"}


def test_the_terminal_begins_and_ends_incidents(wiring: Wiring) -> None:
    assert "There was none yet." in run(wiring, "incident", "list")()
    told = (
        "--message",
        "en=We are down.",
        "--message",
        "es=No hay servicio.",
        "--all",
        "--why",
        "A cut",
        "--by",
        "kim",
    )
    assert "until: Say until when" in run(wiring, "incident", "start", *told)()
    assert "Incident 1 is told" in run(wiring, "incident", "start", *told, "--minutes", "30")()
    assert "until 2026-11-23 15:30 UTC  all callers: We are down. (kim: A cut)" in run(wiring, "incident", "list")()
    assert "Incident 1 is over." in run(wiring, "incident", "end", "1", "--why", "Mended", "--by", "kim")()
    assert "over since 2026-11-23 15:00 UTC" in run(wiring, "incident", "list")()
    assert "over already" in run(wiring, "incident", "end", "1", "--why", "Mended")()
