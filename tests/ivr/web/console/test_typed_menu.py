"""A menu of our own, three menus deep, typed in through the page, published and walked to each of its ends."""

from flask import Flask
from psycopg import Connection

from ivr.phone.engine import Carrier
from ivr.phone.story import parse
from ivr.phone.story_play import play_story
from ivr.phone.transport import FlaskTransport
from ivr.wiring import Wiring
from tests.ivr.web.console.conftest import SignedIn
from tests.ivr.web.console.test_menus import told
from tests.ivr.web.console.typing import Spoken, stories, type_in, visited

MENU = (
    Spoken("a film to rent"),
    Spoken("a picture that is bad", (
        Spoken("a storm outside"),
        Spoken("some picture"),
        Spoken("no picture at all", (
            Spoken("all channels dark"),
            Spoken("one dark channel"))))),
    Spoken("a new contract"),
)  # fmt: skip


def test_a_menu_typed_in_is_published_and_a_story_leads_to_each_of_its_ends(
    signed_in: SignedIn, app: Flask, wiring: Wiring, db: Connection
) -> None:
    editor = signed_in("editor")
    draft, revision = type_in(editor, "Satellite", MENU)
    assert "Nothing is wrong with this draft." in told(editor.get(f"/console/menus/draft/{draft}"))
    sent = editor.post_form(f"/console/menus/draft/{draft}/publish", revision=revision, why="Our own menu")
    assert sent.status_code == 303, told(sent)
    plan = wiring.plans.live(db)
    settings = wiring.settings
    phone = Carrier(
        settings.twilio_account_sid, settings.twilio_auth_token[0].get_secret_value(), settings.public_base_url,
        transport=FlaskTransport(app),
    )  # fmt: skip
    written = stories(plan)
    problems = [
        problem for leaf, story in written.items() for problem in play_story(parse(story, leaf), phone).problems
    ]
    assert problems == []
    assert len(written) == 6
    assert visited(db, plan.version) == sorted(written)
