"""Recorded prompts, hold music and holidays, from the page to the caller's ear."""

import html
import io
import re
from typing import Any

import numpy as np
import pytest
import soundfile
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from ivr.console import trying
from ivr.console import voice as work
from ivr.recorded import HEADER
from ivr.wiring import Wiring
from models import audit, drafts, plans, recordings
from tests.ivr.web.conftest import Carrier
from tests.ivr.web.console.conftest import ConsoleClient, SignedIn


def words(answer: TestResponse) -> str:
    """What a page says, tags taken out."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def spoken(answer: TestResponse) -> str:
    """What a document says, and plays."""
    return html.unescape(answer.text)


def tone(seconds: float) -> bytes:
    at = np.arange(int(8000 * seconds)) / 8000
    file = io.BytesIO()
    soundfile.write(file, 0.2 * np.sin(2 * np.pi * 440 * at), 8000, format="WAV")
    return file.getvalue()


def upload(client: ConsoleClient, path: str, raw: bytes, file_name: str = "take 3.wav", **fields: Any) -> TestResponse:
    file = FileStorage(io.BytesIO(raw), file_name)
    boundary, body = encode_multipart({"csrf_token": client.csrf_token, **fields, "file": file})
    return client.post(path, data=body, content_type=f"multipart/form-data; boundary={boundary}")


@pytest.fixture
def greeting(wiring: Wiring) -> dict[str, str]:
    """The fields of the form for the greeting in English."""
    with wiring.pool.connection() as conn:
        found = work.prompt(conn, wiring.plans.live(conn), "greeting", "en")
    assert found.holds == ()
    return {"wording": "greeting", "language": "en", "words": found.words}


def record(client: ConsoleClient, greeting: dict[str, str], seconds: float = 2) -> str:
    """The path of the greeting's recording."""
    answer = upload(client, "/console/voice/prompt", tone(seconds), **greeting)
    assert answer.status_code == 303, words(answer)
    return f"/audio/{newest(client).hash}.wav"


def newest(client: ConsoleClient) -> recordings.Recording:
    service: Wiring = client.application.extensions["offhold"]
    with service.pool.connection() as conn:
        return max(recordings.heard(conn), key=lambda one: one.id)


def test_a_recorded_greeting_is_played_to_the_next_caller(
    signed_in: SignedIn, carrier: Carrier, browser: FlaskClient, greeting: dict[str, str]
) -> None:
    editor = signed_in("editor")
    path = record(editor, greeting)
    said = spoken(carrier.call("/voice/incoming", CallStatus="ringing"))
    assert f"{path}</Play>" in said
    assert greeting["words"] not in said
    heard = browser.get(path)
    assert (heard.mimetype, len(heard.data)) == ("audio/wav", HEADER + 2 * 8000 * 2)
    assert "immutable" in heard.headers["Cache-Control"]
    assert "recorded 2 s" in words(editor.get("/console/voice"))
    listened = editor.get(f"/console/voice/recordings/{newest(editor).id}.wav")
    assert (listened.mimetype, listened.data) == ("audio/wav", heard.data)


def test_the_voice_says_it_again_when_a_recording_is_taken_away(
    signed_in: SignedIn, carrier: Carrier, browser: FlaskClient, wiring: Wiring, greeting: dict[str, str]
) -> None:
    editor = signed_in("editor")
    path = record(editor, greeting)
    remove = f"/console/voice/recordings/{newest(editor).id}/remove"
    assert "Say why" in words(editor.post(remove, data={"csrf_token": editor.csrf_token}, follow_redirects=True))
    assert editor.post_form(remove, why="wrong voice").status_code == 303
    assert greeting["words"] in spoken(carrier.call("/voice/incoming", CallStatus="ringing"))
    assert browser.get(path).status_code == 200  # a document of a moment ago names it
    with wiring.pool.connection() as conn:
        gone, added = audit.find(conn, what="recording")
    assert (gone.what, gone.on, gone.why) == ("recording.remove", "greeting (en)", "wrong voice")
    assert (added.what, added.after["file"], added.after["words"]) == (
        "recording.add", "take 3.wav", greeting["words"],
    )  # fmt: skip


def test_changed_words_are_spoken_until_they_are_recorded(
    signed_in: SignedIn, carrier: Carrier, wiring: Wiring, greeting: dict[str, str]
) -> None:
    editor = signed_in("editor")
    path = record(editor, greeting)
    with wiring.pool.connection() as conn:
        text = plans.yaml(conn, plans.live_version(conn) or 0) or ""
        plans.publish(
            conn, text.replace("Welcome to {brand}", "Good day from {brand}"), "tests", "warmer", at=wiring.clock()
        )
    said = spoken(carrier.call("/voice/incoming", CallStatus="ringing"))
    assert path not in said
    assert "Good day from" in said
    assert "Recordings whose words this menu does not say" in words(editor.get("/console/voice"))


def test_another_take_replaces_the_first(signed_in: SignedIn, greeting: dict[str, str], wiring: Wiring) -> None:
    editor = signed_in("editor")
    first = record(editor, greeting)
    second = record(editor, greeting, 3)
    with wiring.pool.connection() as conn:
        assert [f"/audio/{one.hash}.wav" for one in recordings.heard(conn)] == [second]
    assert first != second


def test_a_process_that_has_not_heard_of_a_recording_fetches_it(
    signed_in: SignedIn, browser: FlaskClient, wiring: Wiring, greeting: dict[str, str]
) -> None:
    path = record(signed_in("editor"), greeting)
    wiring.audio.take(type(wiring.audio.recorded)())
    assert len(browser.get(path).data) == HEADER + 2 * 8000 * 2
    wiring.look_at_recordings()
    assert wiring.audio.file(path[7:-4]) is not None


def test_a_file_that_is_none_is_refused_beside_the_field(signed_in: SignedIn, greeting: dict[str, str]) -> None:
    editor = signed_in("editor")
    answer = upload(editor, "/console/voice/prompt", b"MZ\x90", "setup.exe", **greeting)
    assert answer.status_code == 422
    assert "This is neither a WAV nor an MP3 file." in words(answer)
    assert "Choose a file." in words(upload(editor, "/console/voice/prompt", b"", "", **greeting))


def test_fifty_megabytes_are_refused_before_they_are_read(signed_in: SignedIn) -> None:
    class Endless(io.RawIOBase):
        taken = 0

        def read(self, size: int = -1) -> bytes:
            Endless.taken += size
            return bytes(size)

    editor = signed_in("editor")
    answer = editor.post(
        "/console/voice/prompt",
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"wsgi.input": Endless(), "CONTENT_LENGTH": str(50 * 1024 * 1024)},
    )
    assert answer.status_code == 413
    assert Endless.taken == 0


def test_a_sentence_that_differs_in_each_call_cannot_be_recorded(signed_in: SignedIn, wiring: Wiring) -> None:
    editor = signed_in("editor")
    with wiring.pool.connection() as conn:
        said = work.prompt(conn, wiring.plans.live(conn), "position", "en")
    assert said.holds == ("position",)
    fields = {"wording": "position", "language": "en", "words": said.words}
    assert "“position”, which differs in each call" in words(editor.get("/console/voice/prompt", query_string=fields))
    assert upload(editor, "/console/voice/prompt", tone(1), **fields).status_code == 422


def test_a_recording_of_words_that_changed_meanwhile_is_asked_about(
    signed_in: SignedIn, greeting: dict[str, str]
) -> None:
    answer = upload(signed_in("editor"), "/console/voice/prompt", tone(1), **{**greeting, "words": "Hello."})
    assert answer.status_code == 422
    assert "These words were changed meanwhile." in words(answer)


def test_the_whole_question_of_a_menu_can_be_recorded(signed_in: SignedIn, carrier: Carrier, wiring: Wiring) -> None:
    with wiring.pool.connection() as conn:
        said = work.prompt(conn, wiring.plans.live(conn), "menu:", "en")
    fields = {"wording": "menu:", "language": "en", "words": said.words}
    path = record(signed_in("editor"), fields)
    document = spoken(carrier.call("/voice/incoming", CallStatus="ringing"))
    assert said.words not in document
    assert f"{path}</Play>" in document


def test_a_draft_s_words_are_recorded_before_it_is_published(signed_in: SignedIn, wiring: Wiring) -> None:
    editor = signed_in("editor")
    with wiring.pool.connection() as conn:
        text = (plans.yaml(conn, plans.live_version(conn) or 0) or "").replace(
            "Welcome to {brand}", "Good day from {brand}"
        )
        draft = drafts.begin(conn, "warmer", text, 1, "tests", wiring.clock())
        said = work.prompt(conn, trying.plan_of(conn, wiring, draft), "greeting", "en")
    fields = {"wording": "greeting", "language": "en", "words": said.words, "draft": str(draft)}
    record(editor, fields)
    assert "recorded 2 s" not in words(editor.get("/console/voice"))
    assert "recorded 2 s" in words(editor.get(f"/console/voice?draft={draft}"))


def test_the_company_s_own_music_plays_on_hold_and_goes_on(
    signed_in: SignedIn, carrier: Carrier, browser: FlaskClient
) -> None:
    editor = signed_in("editor")
    answer = upload(editor, "/console/voice/music", tone(10), "jingle.wav")
    assert (answer.status_code, "At least 30 seconds" in words(answer)) == (422, True)
    assert upload(editor, "/console/voice/music", tone(95), "<b>piano.wav").status_code == 303
    shown = editor.get("/console/voice/music").text
    assert "<b>piano" not in shown
    carrier.call("/voice/incoming", CallStatus="ringing")
    carrier.call("/voice/menu?turn=1", Digits="3")
    carrier.call("/voice/menu?turn=2", Digits="1")
    document = spoken(carrier.call("/voice/hold", QueueTime="0", QueuePosition="7", CallStatus="in-progress"))
    (path,) = re.findall(rf"(/audio/{newest(editor).hash}-\d+-\d+\.wav)</Play>", document)
    start, seconds = (int(number) for number in re.findall(r"-(\d+)", path))
    assert start % 30 == 0
    assert len(browser.get(path).data) == HEADER + 2 * 8000 * seconds


def test_holidays_are_changed_in_a_draft_and_hours_keep_their_own(signed_in: SignedIn, wiring: Wiring) -> None:
    editor = signed_in("editor")
    made = editor.post_form("/console/voice/holidays", name="Holidays 2027")
    address = made.headers["Location"]
    number = int(address.rpartition("=")[2])
    page = editor.get(address).text
    ticked = re.findall(r'name="on" value="([^"]+)"[^>]* checked', page)
    hours = re.findall(r'name="new" value="([^"]+)"', page)
    assert hours
    saved = editor.post_form(
        f"/console/voice/holidays/{number}", revision="1", on=ticked, day="2027-07-05", new=hours[0]
    )
    assert saved.status_code == 303, words(saved)
    with wiring.pool.connection() as conn:
        plan = trying.plan_of(conn, wiring, number)
    closed = {day.isoformat() for queue in plan.queues.values() for day in queue.hours.holidays}
    assert "2027-07-05" in closed
    assert {one.partition("|")[0] for one in ticked} <= closed
    wrong = editor.post_form(f"/console/voice/holidays/{number}", revision="2", day="2027-13-01", new=hours)
    assert (wrong.status_code, "A day, such as 2026-12-25." in words(wrong)) == (422, True)
    assert 'value="2027-13-01"' in wrong.text
