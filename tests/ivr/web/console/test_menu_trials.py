"""A draft on the test phone: its calls hear it, and nobody else does."""

import re

import pytest
from psycopg import Connection

from config.settings import load
from ivr import wiring as wirings
from ivr.app import create_app
from ivr.planfile.store import STARTER
from ivr.wiring import Wiring
from models import drafts, plans
from tests.ivr.web.conftest import CALL, Carrier
from tests.ivr.web.console.conftest import SignedIn
from tests.ivr.web.console.test_menus import told

NOVA = STARTER.read_text("utf-8").replace("brand: Lumora", "brand: Nova")


@pytest.fixture
def trial(db: Connection, wiring: Wiring) -> int:
    draft = drafts.begin(db, "Nova", NOVA, None, "dana", wiring.clock())
    return plans.put_on_trial(db, NOVA, draft, "dana", wiring.clock())


def test_a_call_of_the_test_phone_hears_the_draft_to_its_end_as_a_test(
    carrier: Carrier, trial: int, db: Connection
) -> None:
    assert "Welcome to Nova" in carrier.call("/voice/incoming", OffholdPlan=str(trial)).get_data(as_text=True)
    assert carrier.call("/voice/menu?turn=1", Digits="3").status_code == 200
    assert db.execute("SELECT plan_version, test FROM calls WHERE call_sid = %s", (CALL,)).fetchone() == (trial, True)
    named = {version for (version,) in db.execute("SELECT DISTINCT plan_version FROM facts").fetchall()}
    assert named == {trial}


def test_a_call_without_the_draft_hears_what_is_live(carrier: Carrier, trial: int) -> None:
    assert "Welcome to Lumora" in carrier.call("/voice/incoming").get_data(as_text=True)


@pytest.mark.parametrize("asked", ["999999", "-1", "x", "", "1e3"])
def test_a_version_that_is_no_draft_on_trial_is_not_played(carrier: Carrier, trial: int, asked: str) -> None:
    assert "Welcome to Lumora" in carrier.call("/voice/incoming", OffholdPlan=asked).get_data(as_text=True)


def test_an_old_version_is_no_draft_on_trial(carrier: Carrier, db: Connection) -> None:
    old = plans.publish(db, NOVA, "dana", "x")
    plans.publish(db, STARTER.read_text("utf-8"), "dana", "y")
    assert "Welcome to Lumora" in carrier.call("/voice/incoming", OffholdPlan=str(old)).get_data(as_text=True)


def test_a_call_of_a_companys_own_account_never_hears_a_draft(
    trial: int, database_url: str, redis_url: str, tmp_path: object
) -> None:
    own = {"TWILIO_ACCOUNT_SID": "AC" + "5" * 32, "TWILIO_AUTH_TOKEN": "a token of our own", "TEST_PHONE": "on"}
    given = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "DATA_DIR": f"{tmp_path}/own", **own}
    settings = load({**given, "TWILIO_SENDER_NUMBER": "+15005550006"}, dotenv=None)
    wiring = wirings.build(settings, pool_size=2)
    try:
        real = Carrier(create_app(wiring).test_client(), settings)
        heard = real.call("/voice/incoming", OffholdPlan=str(trial)).get_data(as_text=True)
    finally:
        wiring.close()
    assert "Welcome to Lumora" in heard


def test_a_process_that_played_a_draft_falls_back_to_what_is_live(carrier: Carrier, trial: int, wiring: Wiring) -> None:
    carrier.call("/voice/incoming")
    carrier.call("/voice/incoming", CallSid="CA" + "2" * 32, OffholdPlan=str(trial))
    known = wiring.plans.known()
    assert known is not None
    assert known.brand == "Lumora"


def test_the_page_keeps_the_draft_for_the_phone_and_tells_its_address(signed_in: SignedIn, db: Connection) -> None:
    editor = signed_in("editor")
    made = editor.post_form("/console/menus/drafts", name="Nova").headers["Location"]
    ready = editor.post_form(f"{made}/try")
    assert "Only calls from the test phone that ask for it get it" in told(ready)
    [version] = re.findall(r"//localhost:8100/\?plan=(\d+)", ready.get_data(as_text=True))
    assert plans.is_on_trial(db, int(version))
    page = editor.get(f"{made}/text")
    assert page.status_code == 200
    editor.post_form(f"{made}/text", revision=1, yaml=STARTER.read_text("utf-8").replace("default_queue: general", ""))
    refused = editor.post_form(f"{made}/try")
    assert refused.status_code == 422
    assert "The draft has errors: mend them first." in told(refused)
