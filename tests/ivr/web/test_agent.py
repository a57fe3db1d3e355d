"""The agent's page: the sentence, the key, and nothing for others."""

from flask.testing import FlaskClient

from ivr.agent_note import agent_key
from ivr.wiring import Wiring
from tests.ivr.web.conftest import AGENT_CALL, CALL, Carrier, Clock
from tests.ivr.web.test_voice import action, hold


def test_the_agent_reads_what_was_chosen_offered_and_texted(
    carrier: Carrier, browser: FlaskClient, wiring: Wiring, clock: Clock
) -> None:
    hold(carrier)
    page = browser.get(f"/agent?call={AGENT_CALL}").text
    assert "Nobody is connected to this call yet." in page
    clock.on(40)
    answer = carrier.call("/voice/hold", QueueTime="40", QueuePosition="5")
    clock.on(12)
    carrier.call(action(answer), Digits="1")
    carrier.call("/voice/connecting", DequeingCallSid=AGENT_CALL, QueueTime="60")
    page = browser.get(f"/agent?call={AGENT_CALL}").text
    assert "Router light stays red" in page
    assert "asked for it by text (it is about to be sent)" in page
    assert "Chose " in page
    assert "asked for it by text" in browser.get(f"/agent?call={CALL}").text  # as a TaskRouter task names the call
    listed = browser.get("/agent").text
    assert f"/agent?call={AGENT_CALL}" in listed
    assert "technical" in listed


def test_without_a_call_the_page_says_what_to_do(browser: FlaskClient) -> None:
    assert "Nobody has been answered yet." in browser.get("/agent").text
    assert "Nobody has been answered yet." in browser.get("/agent?call=<script>").text


def test_a_real_account_needs_the_key_which_moves_into_a_cookie(browser: FlaskClient, wiring: Wiring) -> None:
    wiring.settings = wiring.settings.model_copy(
        update={"development_account": False, "public_base_url": "https://ivr.example.org"}
    )
    assert browser.get("/agent").status_code == 403
    assert browser.get("/agent?key=wrong").status_code == 403
    key = agent_key(wiring.settings.session_secret.get_secret_value())
    answer = browser.get(f"/agent?key={key}&call={AGENT_CALL}")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/agent?call={AGENT_CALL}")
    cookie = answer.headers["Set-Cookie"]
    for part in ("HttpOnly", "Secure", "SameSite=Strict", "Path=/agent"):
        assert part in cookie
    assert browser.get("/agent", base_url="https://ivr.example.org").status_code == 403
    browser.set_cookie("offhold_agent", key, path="/agent")
    assert browser.get("/agent").status_code == 200
