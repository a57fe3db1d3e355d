"""Calls and months, as a program reads them."""

from datetime import UTC, date, datetime, timedelta

from psycopg import Connection

from ivr.jobs.settle_ledger import settle_ledger
from ivr.jobs.summarize import summarize_calls
from ivr.wiring import Wiring
from models import facts, numbers
from tests.ivr.jobs.test_summarize import add_call, use_text
from tests.ivr.web.api.conftest import WithToken
from tests.ivr.web.conftest import CALLER

BEGAN = datetime(2026, 10, 6, 17, 0, tzinfo=UTC)
SIDS = ["CA" + str(number) * 32 for number in range(1, 4)]


def test_calls_come_page_by_page_newest_first(db: Connection, wiring: Wiring, with_token: WithToken) -> None:
    for number, sid in enumerate(SIDS):
        add_call(db, sid, BEGAN + timedelta(hours=number))
    summarize_calls(wiring)
    client = with_token("calls")
    first = client.get("/api/v1/calls", query_string={"limit": 2}).get_json()
    rest = client.get("/api/v1/calls", query_string={"limit": 2, "after": first["next"]}).get_json()
    assert [one["call_sid"] for one in (*first["items"], *rest["items"])] == SIDS[::-1]
    assert rest["next"] is None
    late = {"since": (BEGAN + timedelta(hours=1)).isoformat(), "until": (BEGAN + timedelta(hours=2)).isoformat()}
    found = client.get("/api/v1/calls", query_string=late).get_json()["items"]
    assert [one["call_sid"] for one in found] == [SIDS[1]]
    for query in ({"after": "2026"}, {"since": "2026-02-30T00:00:00Z"}):
        assert client.get("/api/v1/calls", query_string=query).status_code == 422


def test_a_story_is_told_with_a_masked_number_and_no_text_of_anybody(
    db: Connection, wiring: Wiring, with_token: WithToken
) -> None:
    sid = SIDS[0]
    add_call(db, sid, BEGAN)
    use_text(db, sid, BEGAN)
    facts.add(db, sid, "held", BEGAN + timedelta(seconds=9), {"queue": "general"})
    key = wiring.numbers.key(CALLER)
    numbers.keep(db, key, wiring.numbers.seal(CALLER), BEGAN)
    db.execute("UPDATE calls SET caller_key = %s WHERE call_sid = %s", (key, sid))
    client = with_token("calls")
    answer = client.get(f"/api/v1/calls/{sid}")
    told = answer.get_json()
    assert (told["call_sid"], told["number"]) == (sid, "+1" + "•" * 8 + "43")
    assert CALLER not in answer.text
    happened = [one for turn in told["turns"] for one in turn["happened"] if one["name"] == "held"]
    assert {"queue": "general"} in [one["details"] for one in happened]
    assert all("body" not in text for text in told["texts"])
    assert client.get("/api/v1/calls/CA0").status_code == 404


def test_a_month_is_read_as_its_statement_and_only_one_that_is_known(
    db: Connection, wiring: Wiring, with_token: WithToken
) -> None:
    wiring.development_account = False
    add_call(db, SIDS[0], BEGAN)
    use_text(db, SIDS[0], BEGAN)
    summarize_calls(wiring)
    settle_ledger(wiring)
    client = with_token("finance")
    told = client.get("/api/v1/finance/statements/2026-11").get_json()
    assert (told["content"]["figures"]["month"], told["signature"]) == (date(2026, 11, 1).isoformat(), None)
    assert told["content"]["format"] == "offhold-statement/1"
    for other in ("2025-01", "9999-12", "2026-13", "november"):
        assert client.get(f"/api/v1/finance/statements/{other}").get_json()["id"] == "not_found", other
    assert client.get("/api/v1/finance/savings").status_code == 200
    assert with_token("read").get("/api/v1/finance/savings").status_code == 403
