"""The menu pages as an editor uses them: a draft, its problems, two editors at once, publishing, going back."""

import io
import re
from html import unescape
from html.parser import HTMLParser

import pytest
from psycopg import Connection
from werkzeug.test import TestResponse

from ivr.planfile.document import values_of
from ivr.planfile.editing import choice_fields
from ivr.planfile.store import STARTER
from ivr.wiring import Wiring
from models import drafts, plans
from tests.ivr.web.console.conftest import ConsoleClient, SignedIn

TEXT = STARTER.read_text("utf-8")
HOSTILE = "<script>alert(1)</script>{{7*7}}' onx=\"y"


@pytest.fixture
def editor(signed_in: SignedIn) -> ConsoleClient:
    return signed_in("editor")


@pytest.fixture
def draft(editor: ConsoleClient) -> int:
    made = editor.post_form("/console/menus/drafts", name="Summer")
    assert made.status_code == 303, told(made)
    return int(made.headers["Location"].rsplit("/", 1)[1])


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def told(answer: TestResponse) -> str:
    """What a page says, without markup."""
    parser = _Words()
    parser.feed(answer.get_data(as_text=True))
    return " ".join(" ".join(parser.words).split())


def typed(answer: TestResponse) -> dict[str, str]:
    """The fields of the page's form with what stands in them."""
    page = answer.get_data(as_text=True)
    main = page[page.index("<main") : page.index("</main>")]
    fields = {}
    for name, value in re.findall(
        r'<input[^>]* name="([^"]+)"(?=[^>]*type="(?:hidden|text)"|[^>]*)[^>]*? value="([^"]*)"', main
    ):
        fields[name] = unescape(value)
    for found in re.finditer(r'<input type="checkbox"[^>]* name="([^"]+)" value="on"( checked)?', main):
        fields.pop(found[1], None)
        if found[2]:
            fields[found[1]] = "on"
    for name, words in re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n?(.*?)</textarea>', main, re.DOTALL):
        fields[name] = unescape(words)
    for name, options in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', main, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        fields[name] = unescape(chosen[1]) if chosen else ""
    fields.pop("csrf_token", None)
    return fields


def form(client: ConsoleClient, path: str) -> dict[str, str]:
    """The form of a page as a browser would send it back."""
    page = client.get(path)
    assert page.status_code == 200, told(page)
    return typed(page)


def yaml(db: Connection, draft_id: int) -> str:
    found = drafts.read(db, draft_id)
    assert found is not None
    return found.yaml


def test_the_published_menu_reads_aloud(editor: ConsoleClient) -> None:
    page = editor.get("/console/menus")
    words = told(page)
    assert "Welcome to Lumora. 0 calls" in words
    assert words.index("For Internet, press 3.") < words.index("For a red light on the router, press 1.")
    assert words.index("For a red light on the router, press 1.") < words.index("For e-mail or TV, press 4.")
    assert "queue technical" in words


def test_a_choice_is_reworded_and_nothing_else_moves(editor: ConsoleClient, draft: int, db: Connection) -> None:
    fields = form(editor, f"/console/menus/draft/{draft}/choice?at=internet.slow")
    assert (fields["label-en"], fields["queue"], fields["ask"]) == ("slow Internet", "technical", "on")
    sent = editor.post_form(f"/console/menus/draft/{draft}/choice", **fields | {"label-en": "an Internet that crawls"})
    assert sent.status_code == 303, told(sent)
    text = yaml(db, draft)
    assert text == TEXT.replace("{en: slow Internet, es: Int", "{en: an Internet that crawls, es: Int")


def test_a_form_sent_back_untouched_saves_nothing(editor: ConsoleClient, draft: int, db: Connection) -> None:
    for page in (
        "choice?at=internet.red-light",
        "choice?at=internet",
        "queue?name=urgent",
        "hours?name=office",
        "queues",
    ):
        path = f"/console/menus/draft/{draft}/{page}"
        fields = form(editor, path)
        assert editor.post_form(path, **fields).status_code == 303
    assert yaml(db, draft) == TEXT
    found = drafts.read(db, draft)
    assert found is not None
    assert found.revision == 1


def test_a_new_choice_gets_a_free_key_and_ids_from_its_label(editor: ConsoleClient, draft: int, db: Connection) -> None:
    fields = form(editor, f"/console/menus/draft/{draft}/add")
    assert fields["key"] == "6"
    fields |= {"label-en": "Moving home", "label-es": "una mudanza", "synonyms-en": "moving, new flat\nmoving house"}
    sent = editor.post_form(
        f"/console/menus/draft/{draft}/add", **fields | {"topic-en": "your move", "queue": "general"}
    )
    assert sent.status_code == 303, told(sent)
    choice = choice_fields(values_of(yaml(db, draft)), ("moving-home",))
    assert (choice.key, choice.synonyms["en"]) == ("6", ("moving", "new flat", "moving house"))
    assert choice.leads_to.id == "moving-home"
    words = told(editor.get(f"/console/menus/draft/{draft}"))
    assert "For Moving home, press 6." in words
    assert "menu 'main' has 6 choices" in words


def test_a_choice_is_moved_by_its_arrows_and_by_dragging(editor: ConsoleClient, draft: int, db: Connection) -> None:
    shown = editor.get(f"/console/menus/draft/{draft}").get_data(as_text=True)
    assert shown.count('name="how" value="up"') == shown.count("Move up: ") == 30  # one for each choice
    assert shown.count('name="how" value="in" disabled') == 26  # there is a menu above the last four of the main menu
    path = f"/console/menus/draft/{draft}/move"
    assert editor.post_form(path, at="internet.slow", how="up", revision=1).status_code == 303
    assert (
        editor.post_form(path, at="internet.slow", how="to", menu="", after="internet", revision=2).status_code == 303
    )
    assert choice_fields(values_of(yaml(db, draft)), ("slow",)).key == "6"
    refused = editor.post_form(path, at="internet", how="to", menu="internet", after="", revision=3)
    assert refused.status_code == 422
    assert "a choice cannot go below itself" in told(refused)


def test_a_draft_with_an_error_is_told_where_and_not_published(
    editor: ConsoleClient, draft: int, db: Connection
) -> None:
    fields = form(editor, f"/console/menus/draft/{draft}/choice?at=internet.slow")
    sent = editor.post_form(f"/console/menus/draft/{draft}/choice", **fields | {"queue": ""})
    assert sent.status_code == 303
    page = editor.get(f"/console/menus/draft/{draft}")
    words = told(page)
    assert "One error keeps this draft from being published" in words
    assert words.count("leaf 'internet-slow' lacks 'queue'") == 3  # in the list, its link, and at its place
    branch = page.get_data(as_text=True).partition('id="choice-internet-slow"')[2].partition("<li")[0]
    assert "lacks &#39;queue&#39;" in branch
    assert f"/console/menus/draft/{draft}/choice?at=internet.slow" in page.get_data(as_text=True)
    refused = editor.post_form(f"/console/menus/draft/{draft}/publish", revision=2, why="try")
    assert refused.status_code == 422
    assert "The draft has errors: mend them first." in told(refused)
    assert len(plans.history(db)) == 1


def test_a_published_draft_is_live_at_once_noted_and_can_be_taken_back(
    editor: ConsoleClient, draft: int, db: Connection, wiring: Wiring
) -> None:
    top = form(editor, f"/console/menus/draft/{draft}/queues")
    editor.post_form(f"/console/menus/draft/{draft}/queues", **top | {"brand": "Nova"})
    page = editor.get(f"/console/menus/draft/{draft}/publish")
    assert "Brand: 'Lumora' became 'Nova'" in told(page)
    nameless = editor.post_form(f"/console/menus/draft/{draft}/publish", revision=2, why="")
    assert "Say why: it stands in the audit log." in told(nameless)
    sent = editor.post_form(f"/console/menus/draft/{draft}/publish", revision=2, why="New name")
    assert sent.status_code == 303, told(sent)
    assert wiring.plans.live(db).brand == "Nova"
    again = told(editor.get(f"/console/menus/draft/{draft}/publish"))  # by the browser's way back
    assert "This draft was published as version 2." in again
    assert "What it changes" not in again
    new, old = (one.version for one in plans.history(db))
    back = editor.post_form(f"/console/menus/plans/{old}/rollback", why="Callers were puzzled")
    assert back.status_code == 303
    assert wiring.plans.live(db).brand == "Lumora"
    assert f"version {old} again" in told(editor.get("/console/menus/plans"))
    notes = db.execute('SELECT what, "on", why, who FROM audit ORDER BY id').fetchall()
    assert [one[:3] for one in notes if one[0].startswith("menu")] == [
        ("menu.publish", f"plan {new}", "New name"),
        ("menu.rollback", f"plan {new + 1}", "Callers were puzzled"),
    ]
    assert {one[3] for one in notes if one[0].startswith("menu")} == {f"staff:{editor.staff_id}"}
    assert "'Lumora' became 'Nova'" in told(editor.get(f"/console/menus/plans/{new}"))


def test_the_second_of_two_editors_is_merged_with_the_first(
    editor: ConsoleClient, signed_in: SignedIn, draft: int, db: Connection
) -> None:
    other = signed_in("editor")
    mine = form(editor, f"/console/menus/draft/{draft}/choice?at=internet.slow")
    theirs = form(other, f"/console/menus/draft/{draft}/choice?at=internet.slow")
    other.post_form(f"/console/menus/draft/{draft}/choice", **theirs | {"label-es": "Internet muy lento"})
    sent = editor.post_form(f"/console/menus/draft/{draft}/choice", **mine | {"label-en": "an Internet that crawls"})
    assert sent.status_code == 303
    assert choice_fields(values_of(yaml(db, draft)), ("internet", "slow")).label == {
        "en": "an Internet that crawls", "es": "Internet muy lento"}  # fmt: skip
    assert "Editor 2 had saved this draft meanwhile" in told(editor.get(f"/console/menus/draft/{draft}"))


def test_what_two_editors_contradict_is_shown_side_by_side_and_decided(
    editor: ConsoleClient, signed_in: SignedIn, draft: int, db: Connection
) -> None:
    other = signed_in("editor")
    path = f"/console/menus/draft/{draft}/choice"
    mine, theirs = (form(one, f"{path}?at=internet.slow") for one in (editor, other))
    other.post_form(path, **theirs | {"label-en": "a snail", "label-es": "un caracol"})
    sent = editor.post_form(path, **mine | {"label-en": "a turtle", "synonyms-en": "turtle"})
    assert sent.status_code == 303
    assert "merge?save=" in sent.headers["Location"]
    page = editor.get(sent.headers["Location"])
    assert "Both began from: slow Internet As the draft has it now Editor 2 a snail" in told(page)
    assert "A text of Editor 1 waits to be merged." in told(other.get(f"/console/menus/draft/{draft}"))
    undecided = editor.post_form(sent.headers["Location"], revision=2)
    assert undecided.status_code == 422
    place = "menu/choices/internet/menu/choices/slow/label/en"
    done = editor.post_form(sent.headers["Location"], **{"revision": 2, f"place-{place}": "mine"})
    assert done.status_code == 303, told(done)
    choice = choice_fields(values_of(yaml(db, draft)), ("internet", "slow"))
    assert choice.label == {"en": "a turtle", "es": "un caracol"}
    assert choice.synonyms["en"] == ("turtle",)
    assert drafts.waiting(db, draft) == []


def test_a_draft_behind_what_is_live_takes_its_changes_in_first(
    editor: ConsoleClient, draft: int, db: Connection, wiring: Wiring
) -> None:
    plans.publish(db, TEXT.replace("brand: Lumora", "brand: Nova"), "lee", "name")
    fields = form(editor, f"/console/menus/draft/{draft}/queues")
    editor.post_form(f"/console/menus/draft/{draft}/queues", **fields | {"default_queue": "technical"})
    refused = editor.post_form(f"/console/menus/draft/{draft}/publish", revision=2, why="x")
    assert "Bring its changes in first." in told(refused)
    brought = editor.post_form(f"/console/menus/draft/{draft}/merge", revision=2)
    assert brought.status_code == 303, told(brought)
    assert editor.post_form(f"/console/menus/draft/{draft}/publish", revision=3, why="x").status_code == 303
    live = wiring.plans.live(db)
    assert (live.brand, live.default_queue) == ("Nova", "technical")


def test_the_text_is_the_same_menu_and_no_typed_word_is_lost(editor: ConsoleClient, draft: int, db: Connection) -> None:
    path = f"/console/menus/draft/{draft}/text"
    fields = form(editor, path)
    assert fields["yaml"] == TEXT
    changed = TEXT.replace("brand: Lumora", "brand: Nova").replace("\n", "\r\n")
    assert editor.post_form(path, revision=1, yaml=changed).status_code == 303
    assert yaml(db, draft) == TEXT.replace("brand: Lumora", "brand: Nova")
    for broken in ("brand: [", "a: &a [x]\nb: [*a, *a]", "x: 1\nx: 2", "", "- a"):
        refused = editor.post_form(path, revision=2, yaml=broken)
        assert refused.status_code == 422
        assert typed(refused)["yaml"] == broken
    assert yaml(db, draft) == TEXT.replace("brand: Lumora", "brand: Nova")


def test_a_file_is_exported_and_imported_to_the_letter(editor: ConsoleClient, draft: int, db: Connection) -> None:
    exported = editor.get(f"/console/menus/draft/{draft}/menu.yaml")
    assert exported.get_data(as_text=True) == TEXT
    sent = editor.post_form("/console/menus/drafts/import", file=(io.BytesIO(exported.data), "../../menu.yaml"))
    assert sent.status_code == 303
    made = int(sent.headers["Location"].rsplit("/", 1)[1])
    assert yaml(db, made) == TEXT


@pytest.mark.parametrize(
    "raw",
    [b"x" * (256 * 1024 + 1), b"a: &a [x]\nb: *a\n", b"\xff\xfe", b"a: !!python/name:os.system x\n", b"", b"[" * 200],
)
def test_a_file_that_is_no_menu_is_refused(editor: ConsoleClient, raw: bytes, db: Connection) -> None:
    refused = editor.post_form("/console/menus/drafts/import", name="bad", file=(io.BytesIO(raw), "m.yaml"))
    assert refused.status_code == 422
    assert drafts.listed(db) == []


def test_hostile_words_come_out_as_words(editor: ConsoleClient, draft: int) -> None:
    path = f"/console/menus/draft/{draft}/choice"
    fields = form(editor, f"{path}?at=internet.slow")
    sent = editor.post_form(path, **fields | {"label-en": HOSTILE, "synonyms-en": HOSTILE, "topic-en": HOSTILE})
    assert sent.status_code == 303
    for page in ("", "/choice?at=internet.slow", "/text", "/publish", "/wording", "/queues"):
        shown = editor.get(f"/console/menus/draft/{draft}{page}")
        assert shown.status_code == 200
        assert "<script>alert" not in shown.get_data(as_text=True)
    assert HOSTILE in told(editor.get(f"/console/menus/draft/{draft}"))


def test_sentences_queues_and_hours_are_changed_by_form(editor: ConsoleClient, draft: int, db: Connection) -> None:
    base = f"/console/menus/draft/{draft}"
    fields = form(editor, f"{base}/wording") | {"greeting-en": "Hello from {brand}."}
    assert editor.post_form(f"{base}/wording", **fields).status_code == 303
    hours = {"name": "nights", "zone": "America/New_York", "weekly": "monday-friday: 20:00-24:00\nsunday: closed"}
    spoken = {"spoken-en": "in the night", "spoken-es": "de noche"}
    assert editor.post_form(f"{base}/hours", revision=2, **hours | spoken).status_code == 303
    queue = {"name": "night", "hours": "nights", "max_hold_s": "600", "overflow_number": "+12025550143"}
    assert editor.post_form(f"{base}/queue", revision=3, **queue | spoken).status_code == 303
    assert "Nothing is wrong with this draft." in told(editor.get(base))
    assert editor.post_form(f"{base}/remove-queue", revision=4, kind="queue", name="billing").status_code == 303
    assert "'billing' is no queue" in told(editor.get(base))


def test_a_viewer_reads_and_changes_nothing(signed_in: SignedIn, editor: ConsoleClient, draft: int) -> None:
    viewer = signed_in("viewer")
    words = told(viewer.get(f"/console/menus/draft/{draft}"))
    assert "For Internet, press 3." in words
    assert "Throw this draft away" not in words
    assert viewer.post_form(f"/console/menus/draft/{draft}/remove", at="internet", revision=1).status_code == 403


def test_a_draft_thrown_away_comes_back(editor: ConsoleClient, draft: int) -> None:
    assert editor.post_form(f"/console/menus/draft/{draft}/discard", why="no need").status_code == 303
    assert "One draft was thrown away" in told(editor.get("/console/menus"))
    assert editor.post_form(f"/console/menus/draft/{draft}/queues", revision=1, brand="x").status_code == 422
    assert editor.post_form(f"/console/menus/draft/{draft}/reopen").status_code == 303
    assert "Throw this draft away" in told(editor.get(f"/console/menus/draft/{draft}"))


@pytest.mark.parametrize(
    "path", ["", "/choice?at=nowhere", "/queue?name=none", "/hours?name=none", "/merge?save=9", "/text"]
)
def test_what_is_not_there_is_a_page_that_says_so(editor: ConsoleClient, draft: int, path: str) -> None:
    missing = draft if path and path != "/text" else draft + 1
    assert editor.get(f"/console/menus/draft/{missing}{path}").status_code == 404
