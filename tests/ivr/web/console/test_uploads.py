"""Whatever takes a file refuses an archive of hostile paths and 50 MB, says so in words, and writes nothing."""

import io
import zipfile
from pathlib import Path
from unittest.mock import Mock

import pytest
from psycopg import OperationalError

from ivr.console import menus
from ivr.web import console
from ivr.wiring import Wiring
from models import drafts, recordings
from tests.ivr.web.console.conftest import ConsoleClient, SignedIn
from tests.ivr.web.console.test_voice import greeting as greeting
from tests.ivr.web.console.test_voice import upload, words

DOORS = {
    "/console/menus/drafts/import": "This is an archive. Unpack it, and take the menu file in it.",
    "/console/voice/prompt": "This is neither a WAV nor an MP3 file.",
    "/console/voice/music": "This is neither a WAV nor an MP3 file.",
}
HOSTILE = ("../../../../tmp/offhold-was-here", "/tmp/offhold-was-here", "..\\..\\menu.yaml", "a/../../menu.yaml")


def archive(of: bytes = b"brand: Nova\n") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name in HOSTILE:
            made.writestr(name, of)
    return file.getvalue()


@pytest.fixture
def editor(signed_in: SignedIn) -> ConsoleClient:
    return signed_in("editor")


def test_every_door_for_a_file_is_among_these() -> None:
    pages = Path(console.__file__).parent / "templates"
    forms = [one for page in pages.rglob("*.html") for one in page.read_text("utf-8").split("<form")[1:]]
    assert sum('type="file"' in one for one in forms) == len(DOORS)


@pytest.mark.parametrize("door", DOORS)
def test_a_zip_of_traversal_paths_is_refused_beside_the_field(
    editor: ConsoleClient, wiring: Wiring, greeting: dict[str, str], door: str
) -> None:
    before = sorted(wiring.settings.data_dir.rglob("*"))
    for file_name in ("menu.zip", "../../menu.yaml", "take.wav"):
        answer = upload(editor, door, archive(), file_name, name="from afar", **greeting)
        assert answer.status_code == 422
        assert DOORS[door] in words(answer)
        assert 'id="problem-file"' in answer.text
    assert sorted(wiring.settings.data_dir.rglob("*")) == before
    with wiring.pool.connection() as conn:
        assert drafts.listed(conn) == []
        assert recordings.heard(conn) == []


@pytest.mark.parametrize("door", DOORS)
def test_fifty_megabytes_are_refused_in_words(editor: ConsoleClient, wiring: Wiring, door: str) -> None:
    answer = editor.post(
        door,
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"CONTENT_LENGTH": str(50 * 1024 * 1024)},
    )
    assert answer.status_code == 413
    assert "an upload 16 MB" in words(answer)


def test_a_form_that_is_too_long_is_shown_again_to_be_copied(editor: ConsoleClient, wiring: Wiring) -> None:
    text = "# a long menu\n" + "ñ" * 400_000
    answer = editor.post_form("/console/menus/drafts", name="From afar", yaml=text)
    assert answer.status_code == 413
    assert "What you had typed, to be copied" in words(answer)
    assert "From afar" in words(answer)
    assert "# a long menu" in answer.text
    with wiring.pool.connection() as conn:
        assert drafts.listed(conn) == []


def test_a_form_that_is_too_long_is_not_read_for_strangers(nobody: ConsoleClient) -> None:
    answer = nobody.post_form("/console/sign-in", email="x" * 2_200_000, password="secret", code="1")
    assert answer.status_code == 413
    assert "xxxxx" not in answer.text


@pytest.mark.parametrize(("failure", "status"), [(OperationalError("gone"), 503), (RuntimeError("a fault"), 500)])
def test_what_was_typed_is_shown_again_when_it_fails_on_our_side(
    editor: ConsoleClient, monkeypatch: pytest.MonkeyPatch, failure: Exception, status: int
) -> None:
    monkeypatch.setattr(menus, "begin", Mock(side_effect=failure))
    answer = editor.post_form("/console/menus/drafts", name="<b>Hours of the summer</b>")
    assert answer.status_code == status
    assert "What you had typed, to be copied" in words(answer)
    assert "&lt;b&gt;Hours of the summer&lt;/b&gt;" in answer.text
    assert editor.csrf_token not in answer.text.partition("to be copied")[2].partition("<footer")[0]
