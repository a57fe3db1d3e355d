"""A menu of our own, three menus deep, typed in through the page, published and walked to each of its ends."""

from psycopg import Connection

from tests.ivr.web.conftest import Carrier
from tests.ivr.web.console.conftest import SignedIn
from tests.ivr.web.console.test_menus import told
from tests.ivr.web.console.typing import Spoken, type_in, walk

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


def test_a_menu_typed_in_is_published_and_walked(signed_in: SignedIn, carrier: Carrier, db: Connection) -> None:
    editor = signed_in("editor")
    draft, revision = type_in(editor, "Satellite", MENU)
    assert "Nothing is wrong with this draft." in told(editor.get(f"/console/menus/draft/{draft}"))
    sent = editor.post_form(f"/console/menus/draft/{draft}/publish", revision=revision, why="Our own menu")
    assert sent.status_code == 303, told(sent)
    assert walk(carrier, db, MENU) == 6
