"""Contacts of other channels, as another system sends them."""

from datetime import UTC, datetime

from psycopg import Connection

from ivr.jobs.settle_ledger import settle_ledger
from ivr.jobs.summarize import summarize_calls
from ivr.wiring import Wiring
from models import contacts, ledger
from tests.ivr.jobs.test_summarize import add_call, use_text
from tests.ivr.web.api.conftest import WithToken
from tests.ivr.web.conftest import CALLER

BEGAN = datetime(2026, 10, 6, 17, 0, tzinfo=UTC)
SID = "CA" + "1" * 32
AT = "2026-10-08T09:00:00-04:00"


def test_a_contact_takes_a_saving_back_and_sent_again_changes_nothing(
    db: Connection, wiring: Wiring, with_token: WithToken
) -> None:
    wiring.development_account = False
    add_call(db, SID, BEGAN, key=wiring.numbers.key(CALLER))
    use_text(db, SID, BEGAN)
    client = with_token("finance")
    given = {"channel": "e-mail", "contacts": [{"at": AT, "number": CALLER, "customer": "C-17"}]}
    summarize_calls(wiring)
    assert [client.post("/api/v1/contacts", json=given).get_json()["fresh"] for _ in range(2)] == [1, 0]
    summarize_calls(wiring)
    settle_ledger(wiring)
    assert "reversal" in {row.kind for row in ledger.of_call(db, SID)}
    known = contacts.imports(db)[0]
    assert (known.channel, known.source, known.who.partition(":")[0]) == ("e-mail", "api", "token")
    assert CALLER not in str(db.execute("SELECT * FROM contacts").fetchall())


def test_what_cannot_be_read_is_told_by_its_place_and_the_rest_is_kept(db: Connection, with_token: WithToken) -> None:
    client = with_token("finance")
    given = [{"at": AT, "customer": "C-1"}, {"at": "yesterday", "customer": "C-2"}, {"at": AT}, {"number": "12"}]
    told = client.post("/api/v1/contacts", json={"channel": "chat", "contacts": given}).get_json()
    assert (told["rows"], told["fresh"], [one["line"] for one in told["parked"]]) == (4, 1, [2, 3, 4])
    assert "is no time" in told["parked"][0]["reason"]
    assert "names nobody" in told["parked"][1]["reason"]


def test_an_empty_list_says_that_there_were_none(db: Connection, wiring: Wiring, with_token: WithToken) -> None:
    assert with_token("finance").post("/api/v1/contacts", json={"channel": "chat", "contacts": []}).status_code == 200
    assert [(feed.channel, feed.at) for feed in contacts.feeds(db)] == [("chat", wiring.clock())]


def test_other_tokens_misspelt_fields_and_nameless_channels_are_refused(with_token: WithToken) -> None:
    given = {"channel": "chat", "contacts": []}
    assert with_token("calls").post("/api/v1/contacts", json=given).status_code == 403
    client = with_token("finance")
    for wrong in ({**given, "channel": " "}, {**given, "contacts": [{"phone": CALLER}]}, {"channel": "chat"}):
        assert client.post("/api/v1/contacts", json=wrong).status_code == 400
