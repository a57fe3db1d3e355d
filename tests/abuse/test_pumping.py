"""Whoever wants texts sent at our cost: numbers in a row, borrowed callers, numbers typed by the dozen (S13)."""

from collections import Counter
from collections.abc import MutableMapping
from typing import Any

import pytest
from psycopg import Connection

from ivr.jobs.worker import drain
from ivr.wiring import Wiring
from models import plans
from tests.ivr.jobs.conftest import Desk
from tests.ivr.web.conftest import CALLED, STARTER, Carrier, Clock
from tests.ivr.web.test_voice import action


@pytest.fixture
def everybody_is_offered(wiring: Wiring, clock: Clock) -> None:
    """Nobody is held out: each call gets as far as it can."""
    text = STARTER.read_text("utf-8")
    assert "holdout_share: 0.10" in text
    with wiring.pool.connection() as conn:
        plans.publish(conn, text.replace("holdout_share: 0.10", "holdout_share: 0"), "tests", "all", at=clock())


def call(carrier: Carrier, clock: Clock, n: int, from_: str, *, types: str | None = None, stir: str = "") -> None:
    """One whole call that says yes to a text as fast as can be, to the number it comes from or to a typed one."""
    who = {"CallSid": f"CA{n:032x}", "From": from_, "To": CALLED, "StirVerstat": stir}

    def step(path: str, **form: str) -> str:
        return action(carrier.post(path, {**who, **form}))

    asked = step("/voice/incoming", CallStatus="ringing")
    if asked.startswith("/voice/returning"):  # "about your router? Press 1"
        step(asked, Digits="1")
    else:
        step(step(asked, Digits="3"), Digits="1")
    clock.on(40)
    key = step("/voice/hold", QueueTime="40", QueuePosition="5")
    clock.on(12)
    after = carrier.post(key, {**who, "Digits": "1"})
    if types is not None:
        carrier.post(action(carrier.post(action(after), {**who, "Digits": types})), {**who, "Digits": "1"})
    carrier.post("/voice/status", {**who, "CallStatus": "completed"})


def queued(wiring: Wiring) -> int:
    with wiring.pool.connection() as conn:
        row = conn.execute("SELECT count(*) FROM texts").fetchone()
    return int(row[0]) if row else 0


def refusals(wiring: Wiring) -> Counter[str]:
    with wiring.pool.connection() as conn:
        rows = conn.execute("SELECT data->>'reason' FROM facts WHERE name = 'text_refused'").fetchall()
    return Counter(str(reason) for (reason,) in rows)


def test_five_hundred_numbers_in_a_row_get_no_more_texts_than_their_budget(desk: Desk, db: Connection) -> None:
    """From the caller's yes on; the whole calls of a dozen of them follow."""
    asked = [desk.ask(db, call=n + 1, number=f"+1202555{n:04}") is not None for n in range(500)]
    cap = desk.wiring.settings.prefix_texts_a_day
    assert asked == [True] * cap + [False] * (500 - cap)
    drain(desk.wiring)
    assert len(desk.carrier.accepted) == cap == 100


@pytest.mark.usefixtures("everybody_is_offered")
def test_callers_in_a_row_are_cut_off_and_somebody_is_told(
    carrier: Carrier, clock: Clock, wiring: Wiring, logged: list[MutableMapping[str, Any]]
) -> None:
    object.__setattr__(wiring, "settings", wiring.settings.model_copy(update={"prefix_texts_a_day": 5}))
    for n in range(12):
        call(carrier, clock, n, f"+1202555{n:04}")
    assert queued(wiring) == 5
    assert refusals(wiring) == {"prefix_cap": 7}
    alerts = [line for line in logged if line["event"] == "prefix_budget_spent"]
    assert {alert["log_level"] for alert in alerts} == {"warning"}
    assert {alert["call_sid"] for alert in alerts} == {f"CA{n:032x}" for n in range(5, 12)}
    assert not any("+1202555" in str(alert) for alert in alerts)


def test_a_borrowed_number_gets_three_texts_a_day_however_often_it_seems_to_call(desk: Desk, db: Connection) -> None:
    asked = [desk.ask(db, call=n, number="+13105550112") is not None for n in range(1, 13)]
    assert asked == [True] * 3 + [False] * 9
    desk.pass_time(86_401)
    assert desk.ask(db, call=20, number="+13105550112") is not None


@pytest.mark.usefixtures("everybody_is_offered")
def test_borrowed_numbers_of_every_kind_that_costs_get_nothing(carrier: Carrier, clock: Clock, wiring: Wiring) -> None:
    for n, from_ in enumerate(("+18765550123", "+19005550123", "+8825550123", "+266696687", CALLED, "sip:a@b.example")):
        who = {"CallSid": f"CA{n:032x}", "From": from_, "To": CALLED}
        path = action(carrier.post("/voice/incoming", {**who, "CallStatus": "ringing"}))
        for _ in range(6):  # whatever it is asked, it says 1
            answer = carrier.post(path, {**who, "Digits": "3" if "turn=1" in path else "1"})
            path = action(answer)
            if path.startswith("/voice/queue-result"):
                clock.on(40)
                path = action(carrier.post("/voice/hold", {**who, "QueueTime": "40", "QueuePosition": "5"}))
                clock.on(12)
    assert queued(wiring) == 0


@pytest.mark.usefixtures("everybody_is_offered")
def test_one_caller_who_types_other_peoples_numbers_reaches_few_of_them(
    carrier: Carrier, clock: Clock, wiring: Wiring
) -> None:
    for n in range(15):  # withheld each time, so that a number is asked for
        call(carrier, clock, n, "+266696687", types=f"20255501{n:02}")
    assert queued(wiring) == wiring.settings.prefix_typed_texts_a_day == 10
    call(carrier, clock, 30, "+266696687", types="3105550112")
    call(carrier, clock, 31, "+266696687", types="3105550112")
    assert queued(wiring) == 11  # once a day to a number that was typed


FORGED = ("TN-Validation-Failed", "TN-Validation-Failed-A", "TN-Validation-Failed-C-Diverted")
GENUINE = ("", "TN-Validation-Passed-A", "TN-Validation-Passed-C-Diverted", "No-TN-Validation")


@pytest.mark.usefixtures("everybody_is_offered")
def test_no_text_goes_to_a_number_that_the_network_found_forged(carrier: Carrier, clock: Clock, wiring: Wiring) -> None:
    for n, stir in enumerate(FORGED):
        call(carrier, clock, n, f"+1310555{n:04}", stir=stir)
    assert queued(wiring) == 0
    for n, stir in enumerate(GENUINE, 10):
        call(carrier, clock, n, f"+1310555{n:04}", stir=stir)
    assert queued(wiring) == len(GENUINE)
    call(carrier, clock, 20, "+13105550120", stir=FORGED[0], types="2025550199")  # one may still name one's own
    assert queued(wiring) == len(GENUINE) + 1


@pytest.mark.usefixtures("everybody_is_offered")
def test_who_forges_a_number_hears_nothing_of_its_owner(carrier: Carrier, clock: Clock) -> None:
    call(carrier, clock, 1, "+13105550112")
    clock.on(3600)
    who = {"From": "+13105550112", "To": CALLED, "CallStatus": "ringing"}
    owner = carrier.post("/voice/incoming", {**who, "CallSid": f"CA{2:032x}"})
    forger = carrier.post("/voice/incoming", {**who, "CallSid": f"CA{3:032x}", "StirVerstat": FORGED[1]})
    assert action(owner).startswith("/voice/returning")
    assert action(forger).startswith("/voice/menu")


def test_a_forged_agents_number_takes_no_caller(carrier: Carrier, wiring: Wiring) -> None:
    object.__setattr__(wiring, "settings", wiring.settings.model_copy(update={"agent_numbers": ("+13105550112",)}))
    agent = {"CallSid": f"CA{1:032x}", "From": "+13105550112", "To": CALLED}
    assert "<Dial" in carrier.post("/voice/agent", {**agent, "StirVerstat": "TN-Validation-Passed-B"}).text
    assert "<Hangup" in carrier.post("/voice/agent", {**agent, "StirVerstat": FORGED[1]}).text


def limited(desk: Desk, **limits: int) -> None:
    desk.wiring.settings = desk.wiring.settings.model_copy(update=limits)


def texts_of(db: Connection) -> int:
    row = db.execute("SELECT count(*) FROM texts").fetchone()
    return int(row[0]) if row else 0


def reasons(db: Connection) -> Counter[str]:
    rows = db.execute("SELECT data->>'reason' FROM facts WHERE name = 'text_refused'").fetchall()
    return Counter(str(reason) for (reason,) in rows)


def test_numbers_from_everywhere_share_the_budget_of_their_country(
    desk: Desk, db: Connection, logged: list[MutableMapping[str, Any]]
) -> None:
    limited(desk, country_texts_a_day=6)
    for n in range(12):  # each of another prefix
        desk.ask(db, call=n + 1, number=f"+1{(202, 310, 212, 323)[n % 4]}5550{n:03}")
    assert (texts_of(db), reasons(db)) == (6, {"country_cap": 6})
    assert desk.ask(db, call=20, number="+14165550123") is not None  # Canada has one of its own
    told = [line for line in logged if line["event"] == "texts_budget_spent"]
    assert [(line["why"], line["in_country"]) for line in told] == [("country_cap", 6)] * 6
    desk.pass_time(25 * 3600)
    assert desk.ask(db, call=30, number="+12125550199") is not None


def test_all_numbers_together_have_a_minutes_budget(desk: Desk, db: Connection) -> None:
    limited(desk, texts_a_minute=4)
    for n in range(9):
        desk.ask(db, call=n + 1, number=f"+1{(202, 310, 416)[n % 3]}5550{n:03}")
    assert (texts_of(db), reasons(db)) == (4, {"minute_cap": 5})
    assert desk.ask(db, call=20, number="+12125550198", test=True) is None
    desk.pass_time(60)
    assert desk.ask(db, call=21, number="+12125550199") is not None


def test_texts_of_the_test_phone_use_up_nobodys_budget(desk: Desk, db: Connection) -> None:
    limited(desk, texts_a_minute=2, country_texts_a_day=2)
    for n in range(5):
        assert desk.ask(db, call=n + 1, number=f"+1202555{n:04}", test=True) is not None
