"""`flask doctor`, `flask twilio setup-number` and `flask agent-link`, against the carrier on the desk."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from click.testing import Result
from flask import Flask

from ivr import doctor, gate
from ivr.agent_note import agent_key
from ivr.articles_cli import STARTER_COMMUNITY
from ivr.carrier import standby
from ivr.carrier.signature import Signatures
from ivr.phone.engine import Carrier as Desk
from ivr.phone.server import rest_app, running
from ivr.wiring import Wiring
from models import articles, plans
from tests.ivr.web.conftest import CALLED, RED_LIGHT, STARTER, Clock


@pytest.fixture
def desk(app: Flask, wiring: Wiring) -> Iterator[Desk]:
    """The app and a stand-in carrier, both served on this machine."""
    settings = wiring.settings
    made = Desk(settings.twilio_account_sid, settings.twilio_auth_token[0].get_secret_value(), "http://x", CALLED)
    made.main.voice_url = ""
    with running(app) as ours, running(rest_app(made)) as theirs:
        wiring.settings = settings.model_copy(
            update={
                "public_base_url": ours,
                "voice_fallback_url": f"{ours}/voice/fallback",
                "twilio_api_base_url": theirs,
            }
        )
        tokens = [token.get_secret_value() for token in settings.twilio_auth_token]
        app.extensions["offhold_signatures"] = Signatures(tokens, ours)
        yield made


def run(app: Flask, *words: str) -> Result:
    with app.app_context():  # `flask` itself does the same
        return app.test_cli_runner().invoke(args=list(words))


def test_setup_shows_what_would_change_then_sets_it_then_finds_nothing(app: Flask, desk: Desk, wiring: Wiring) -> None:
    ours = wiring.settings.public_base_url
    shown = run(app, "twilio", "setup-number", CALLED, "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert f"voice_url: (none) -> {ours}/voice/incoming" in shown.output
    assert "Nothing was changed." in shown.output
    assert desk.main.voice_url == ""
    assert run(app, "twilio", "setup-number", CALLED).exit_code == 0
    assert (desk.main.voice_url, desk.main.voice_fallback_url, desk.main.status_callback, desk.main.sms_url) == (
        f"{ours}/voice/incoming",
        f"{ours}/voice/fallback",
        f"{ours}/voice/status",
        f"{ours}/sms/incoming",
    )
    again = run(app, "twilio", "setup-number", CALLED)
    assert f"{CALLED} is set up as it should be." in again.output
    twiml = ET.fromstring(again.output[again.output.index("<?xml") :].strip().encode())
    assert [(verb.tag, verb.text) for verb in twiml][-1] == ("Enqueue", "general")


def test_setup_gives_agents_a_number_of_their_own(app: Flask, desk: Desk, wiring: Wiring) -> None:
    assert run(app, "twilio", "setup-number", CALLED).exit_code == 0
    assert desk.main.voice_fallback_url != ""
    assert run(app, "twilio", "setup-number", CALLED, "--agents", "--queue", "technical").exit_code == 0
    assert desk.main.voice_fallback_url == ""  # the callers' fallback would put an agent into the line
    assert desk.main.voice_url == f"{wiring.settings.public_base_url}/voice/agent?queue=technical"
    refused = run(app, "twilio", "setup-number", CALLED, "--agents", "--queue", "evil")
    assert refused.exit_code == 1
    assert "technical" in refused.output


def test_setup_says_what_the_carrier_said(app: Flask, desk: Desk, wiring: Wiring) -> None:
    unknown = run(app, "twilio", "setup-number", "+15005550009")
    assert "Error: the account has no number +15005550009" in unknown.output
    desk.auth_token = "another"
    refused = run(app, "twilio", "setup-number", CALLED)
    assert "does not accept our credentials" in refused.output
    wiring.settings = wiring.settings.model_copy(update={"twilio_api_base_url": "http://127.0.0.1:1"})
    assert "could not be asked" in run(app, "twilio", "setup-number", CALLED).output


def states(wiring: Wiring) -> dict[str, str]:
    return {finding.part: finding.state for finding in doctor.examine(wiring)}


def test_the_doctor_looks_at_every_part(app: Flask, desk: Desk, wiring: Wiring, clock: Clock) -> None:
    desk.main.voice_url = f"{wiring.settings.public_base_url}/voice/incoming"
    clock.now = desk.now  # the carrier tells the real time
    found = states(wiring)
    assert {part: found[part] for part in ("postgresql", "redis", "migrations", "plan", "model", "number")} == {
        "postgresql": "ok",
        "redis": "ok",
        "migrations": "ok",
        "plan": "ok",
        "model": "ok",
        "number": "ok",
    }
    assert found["public address"] == "ok"
    assert found["clock"] == "ok"
    assert found["fallback"] == "warn"
    assert found["index"] == "bad"
    clock.now += timedelta(minutes=5)
    assert states(wiring)["clock"] == "bad"


def test_the_doctor_prints_what_to_do_and_the_opt_in_script(app: Flask, desk: Desk) -> None:
    told = run(app, "doctor")
    assert told.exit_code == 1
    assert "what to do: flask articles import PATH, then flask index build" in told.output
    assert "How people opt in: while on hold for Lumora" in told.output
    assert "press 1" in told.output
    assert "STOP" in told.output


def test_without_a_database_the_doctor_still_looks_at_the_rest(app: Flask, desk: Desk, wiring: Wiring) -> None:
    wiring.pool.close()
    told = run(app, "doctor")
    assert told.exit_code == 1
    assert "bad  postgresql: failed" in told.output
    assert "ok   public address" in told.output
    assert "parts need you" in told.output
    refused = run(app, "twilio", "setup-number", CALLED, "--dry-run")
    assert refused.exit_code == 1
    assert "correct DATABASE_URL" in refused.output


def test_a_wrong_public_address_is_told_from_a_missing_one(app: Flask, desk: Desk, wiring: Wiring) -> None:
    right = wiring.settings
    port = right.public_base_url.rpartition(":")[2]
    wiring.settings = right.model_copy(update={"public_base_url": f"http://localhost:{port}"})
    told = {finding.part: finding for finding in doctor.examine(wiring)}["public address"]
    assert told.words == "a rightly signed request got 403"
    wiring.settings = right.model_copy(update={"public_base_url": right.twilio_api_base_url})
    told = {finding.part: finding for finding in doctor.examine(wiring)}["public address"]
    assert told.words.startswith("an unsigned request got 4")
    wiring.settings = right.model_copy(update={"public_base_url": "http://127.0.0.1:1"})
    told = {finding.part: finding for finding in doctor.examine(wiring)}["public address"]
    assert "cannot be reached" in told.words


def test_the_doctor_names_short_titles(app: Flask, desk: Desk, wiring: Wiring) -> None:
    long_host = "https://" + "a" * 60 + ".example.org"
    wiring.settings = wiring.settings.model_copy(update={"link_base_url": long_host})
    told = {finding.part: finding for finding in doctor.examine(wiring)}["text in en"]
    assert told.state == "warn"
    assert "shorten" in told.todo


def test_production_without_agents_is_told(app: Flask, desk: Desk, wiring: Wiring) -> None:
    wiring.settings = wiring.settings.model_copy(update={"offhold_env": "production"})
    assert states(wiring)["agents"] == "warn"


def test_a_real_account_is_told_of_the_made_up_company(app: Flask, desk: Desk, wiring: Wiring) -> None:
    assert not {"starter menu", "starter articles"} & states(wiring).keys()
    wiring.settings = wiring.settings.model_copy(update={"development_account": False})
    with wiring.pool.connection() as conn:
        articles.upsert_many(conn, [replace(RED_LIGHT, id="made-up")], STARTER_COMMUNITY)
    told = {finding.part: finding for finding in doctor.examine(wiring)}
    assert (told["starter menu"].state, told["starter articles"].state) == ("warn", "warn")
    assert told["starter articles"].words.startswith("1 articles of the made-up")
    with wiring.pool.connection() as conn:
        ours = STARTER.read_text("utf-8").replace("brand: Lumora", "brand: Northwind Cable")
        plans.publish(conn, ours, "tests", "ours", at=wiring.clock())
        articles.withdraw(conn, ["made-up"])
    assert not {"starter menu", "starter articles"} & states(wiring).keys()


def test_the_agents_link_opens_with_its_key(app: Flask, wiring: Wiring) -> None:
    key = agent_key(wiring.settings.session_secret.get_secret_value())
    assert run(app, "agent-link").output.strip() == f"{wiring.settings.public_base_url}/agent?key={key}"


def told_of(wiring: Wiring, part: str) -> doctor.Finding:
    return {finding.part: finding for finding in doctor.examine(wiring)}[part]


@pytest.mark.parametrize(
    ("status", "document", "state"),
    [
        (200, standby.static_fallback("general", words="One moment.", locale="en-US"), "ok"),
        (200, "<Response><Say>Goodbye.</Say></Response>", "bad"),  # hangs up on the caller
        (200, "<html><body>Welcome to nginx!</body></html>", "bad"),
        (200, "hello", "bad"),
        (200, '<?xml version="1.0" encoding="none-such"?><Response/>', "bad"),
        (404, standby.static_fallback("general", words="One moment.", locale="en-US"), "bad"),
    ],
)
def test_the_fallback_on_another_host_is_fetched(
    app: Flask, desk: Desk, wiring: Wiring, status: int, document: str, state: str
) -> None:
    elsewhere = Flask("elsewhere")
    elsewhere.add_url_rule("/fallback.xml", view_func=lambda: (document, status), methods=["GET"])
    with running(elsewhere) as base:
        url = f"{base.replace('127.0.0.1', 'localhost')}/fallback.xml"
        wiring.settings = wiring.settings.model_copy(update={"voice_fallback_url": url})
        assert told_of(wiring, "fallback").state == state
        assert run(app, "twilio", "setup-number", CALLED).exit_code == 0
        assert desk.main.voice_fallback_url == url
    gone = told_of(wiring, "fallback")
    assert (gone.state, gone.words) == ("bad", f"{url} cannot be reached (ConnectionError)")


def test_numbers_at_which_nobody_is_are_told_to_a_real_account(app: Flask, desk: Desk, wiring: Wiring) -> None:
    assert "test numbers" not in states(wiring)
    wiring.settings = wiring.settings.model_copy(
        update={"development_account": False, "agent_numbers": ("+15005550006",), "twilio_sender_number": None}
    )
    assert [finding.words for finding in doctor.examine(wiring) if finding.part == "test numbers"] == [
        "overflow_number of queue urgent is a test number: nobody is there",
        "AGENT_NUMBERS, +15005550006 is a test number: nobody is there",
    ]


def test_who_relies_on_caller_ids_is_warned(app: Flask, desk: Desk, wiring: Wiring) -> None:
    assert states(wiring)["agents"] == "ok"
    wiring.settings = wiring.settings.model_copy(update={"agent_numbers": ("+12025550143",)})
    told = told_of(wiring, "agents")
    assert (told.state, told.words) == ("warn", "1 numbers may dial in, and a caller ID can be forged")


def test_the_doctor_says_what_the_promise_about_wrong_texts_rests_on(
    app: Flask, desk: Desk, wiring: Wiring, clock: Clock
) -> None:
    told = {finding.part: finding for finding in doctor.examine(wiring)}["wrong texts in es"]
    assert told.state == "ok"
    assert told.words.startswith("at most 10.0%: an offer from a probability of 0.")
    assert "nothing here helps 50% of callers (assumed until 200 calls were searched)" in told.words
    assert told.words.endswith("the calibration is shipped")
    with wiring.pool.connection() as conn:
        gate.note_callers(conn, gate.Callers(0.95, 4321), clock())
    told = {finding.part: finding for finding in doctor.examine(wiring)}["wrong texts in en"]
    assert told.state == "warn"
    assert told.words.startswith("10.0% cannot be promised, ")
    assert "nothing here helps 95% of callers (by 4321 calls)" in told.words
