"""The finance pages: a month from its rate card to its signed statement, and from a figure to a call."""

import html
import re
from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import openpyxl
import pytest
from psycopg import Connection

from ivr import signing
from ivr.console import finance as figures
from ivr.jobs.settle_ledger import settle_ledger
from ivr.jobs.summarize import summarize_calls
from ivr.web.console.finance import evidence_of
from ivr.wiring import Wiring
from models import audit, contacts, facts, ledger, periods
from models import rates as cards
from tests.ivr.jobs.test_settle_ledger import CARD
from tests.ivr.jobs.test_summarize import add_call, use_text
from tests.ivr.web.conftest import Clock
from tests.ivr.web.console.conftest import SignedIn

OCTOBER = date(2026, 10, 1)
BEGAN = datetime(2026, 10, 6, 17, 0, tzinfo=UTC)
SID = "CA" + "1" * 32
PAGES = (
    "savings",
    "funnel",
    "statements",
    "statements/2026-10",
    "rates",
    "contacts",
    "metrics",
    "evidence/2026-10/net",
)


def words(answer: object) -> str:
    """What a page says, tags taken out."""
    text = answer.get_data(as_text=True)  # type: ignore[attr-defined]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def settle(wiring: Wiring) -> None:
    summarize_calls(wiring)
    settle_ledger(wiring)


@pytest.fixture
def month(db: Connection, wiring: Wiring, clock: Clock, signed_in: SignedIn) -> Wiring:
    """A rate card published at the page, a confirmed saving in October, another channel."""
    wiring.development_account = False
    ann = signed_in("finance")
    answer = ann.post_form("/console/rates", yaml=CARD, why="budget 2026")
    assert answer.status_code == 303, words(answer)
    add_call(db, SID, BEGAN)
    use_text(db, SID, BEGAN)
    now = wiring.clock()
    number = contacts.begin(db, "<b>mail</b>", "crm.csv", "cli:ann", now)
    contacts.park(db, [contacts.Parked(number, 7, "'at' is no time")])
    contacts.finish(db, contacts.Import(number, "<b>mail</b>", "crm.csv", "cli:ann", now, 9, 8, 1, now))
    settle(wiring)
    return wiring


def test_without_a_rate_card_the_pages_teach_and_name_no_money(db: Connection, signed_in: SignedIn) -> None:
    client = signed_in("finance")
    assert "No rate card is published yet" in words(client.get("/console/rates"))
    said = words(client.get("/console/savings"))
    assert "Nothing can be compared" in said
    assert "placeholder, not your data" in said
    assert "No other channel is connected" in words(client.get("/console/contacts"))


def test_a_month_without_data_is_told_in_spanish_alone(db: Connection, signed_in: SignedIn) -> None:
    client = signed_in("finance")
    client.post_form("/console/language", language="es", next="/console/savings")
    said = words(client.get("/console/savings"))
    assert "la raya es el intervalo del 95 %. La tabla" in said
    assert "no son datos suyos" in said
    assert "placeholder" not in said
    assert "whisker" not in said


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_in_both_languages_and_shows_hostile_text_as_text(
    month: Wiring, signed_in: SignedIn, page: str
) -> None:
    client = signed_in("finance")
    for language in ("en", "es"):
        assert client.post_form("/console/language", language=language, next="/console/savings").status_code == 303
        answer = client.get(f"/console/{page}")
        assert answer.status_code == 200
        assert "<b>mail</b>" not in answer.get_data(as_text=True)


def test_the_savings_show_the_three_numbers_costs_and_what_is_not_known(month: Wiring, signed_in: SignedIn) -> None:
    said = words(signed_in("finance").get("/console/savings?month=2026-10"))
    assert "draft, not closed" in said
    assert "Naive: a text was delivered and the caller hung up 1" in said
    assert "Ledger: worth less all costs, USD -23.81" in said
    assert "Finance has set no cashable share" in said
    assert "over 40 %" in said


def test_groups_that_are_not_as_drawn_are_an_alarm_on_both_pages(
    db: Connection, month: Wiring, signed_in: SignedIn
) -> None:
    client, pages = signed_in("finance"), ("savings?month=2026-10", "statements/2026-10")
    assert not any("card wrong" in client.get(f"/console/{page}").text for page in pages)
    for n in range(20):  # by lot half of them, and all were offered one
        add_call(db, f"CB{n}", BEGAN, key=f"caller {n}")
        facts.add(db, f"CB{n}", "assigned", BEGAN, {"arm": "treat", "probability": 0.5})
    settle(month)
    db.execute("UPDATE call_summaries SET probability = 0.5")
    for page in pages:
        said = client.get(f"/console/{page}").text
        assert 'class="headline card wrong">The sizes of the two groups are not as drawn' in said
        assert "21 callers were offered an article, 0 were held out by lot" in said


def test_a_wrong_rate_card_is_told_by_line_and_nothing_typed_is_lost(db: Connection, signed_in: SignedIn) -> None:
    client = signed_in("finance")
    answer = client.post_form("/console/rates", yaml=CARD.replace("8.00", "-8.00"), why="")
    assert answer.status_code == 422
    said = words(answer)
    assert "line 6" in said or "6:" in said
    assert "Say why" in said
    assert "cost: -8.00" in answer.get_data(as_text=True)
    assert cards.latest(db) is None


def test_who_published_the_card_cannot_close_and_another_can_once(
    db: Connection, month: Wiring, signed_in: SignedIn
) -> None:
    published = cards.latest(db)
    assert published is not None
    assert published.published_by.startswith("staff:")
    ben = signed_in("finance")
    answer = ben.post_form("/console/statements/2026-10/close", why="")
    assert (answer.status_code, periods.closed(db)) == (422, [])
    answer = ben.post_form("/console/statements/2026-10/close", why="month end")
    assert answer.status_code == 303, words(answer)
    (closed,) = periods.closed(db)
    assert (closed.month, closed.closed_by, closed.reason) == (
        OCTOBER,
        f"Finance 2 (staff:{ben.staff_id})",
        "month end",
    )
    assert audit.find(db)[0].what == "ledger.close"
    said = words(ben.get("/console/statements/2026-10"))
    assert "Close for good" not in said
    assert "Signature" in said
    again = ben.post_form("/console/statements/2026-10/close", why="once more")
    assert again.status_code == 422
    assert "no month is opened again" in words(again)


def test_the_publisher_is_told_that_somebody_else_has_to_close(
    db: Connection, wiring: Wiring, signed_in: SignedIn
) -> None:
    ann = signed_in("finance")
    ann.post_form("/console/rates", yaml=CARD, why="budget")
    answer = ann.post_form("/console/statements/2026-10/close", why="month end")
    assert answer.status_code == 422
    assert "somebody else has to" in words(answer)


def test_the_files_are_those_of_the_statement_and_the_key_is_public(
    month: Wiring, signed_in: SignedIn, nobody: object
) -> None:
    client = signed_in("finance")
    client.post_form("/console/statements/2026-10/close", why="month end")
    raw = client.get("/console/statements/2026-10/file.json")
    content, key = signing.read(raw.get_data())
    assert content["title"] == "Statement for 2026-10"
    assert nobody.get("/console/finance/key").text.strip() == signing.text(key)  # type: ignore[attr-defined]
    sheet = openpyxl.load_workbook(BytesIO(client.get("/console/statements/2026-10/file.xlsx").get_data()))["Statement"]
    assert sheet["A1"].value == "Statement for 2026-10"
    pdf = client.get("/console/statements/2026-10/file.pdf")
    assert pdf.get_data().startswith(b"%PDF")
    assert pdf.headers["Content-Disposition"] == 'attachment; filename="statement-2026-10.pdf"'
    assert client.get("/console/statements/2026-10/file.exe").status_code == 404


def test_a_figure_leads_to_its_entries_and_these_to_the_call(
    db: Connection, month: Wiring, signed_in: SignedIn
) -> None:
    client = signed_in("finance")
    sheet = client.get("/console/statements/2026-10").get_data(as_text=True)
    (link,) = re.findall(r'href="(/console/evidence/2026-10/confirmed_inferred\?queue=billing&amp;[^"]*)"', sheet)
    page = client.get(html.unescape(link))
    (entry,) = [row for row in ledger.of_call(db, SID) if row.kind == "confirmed_inferred"]
    said = words(page)
    assert "7.200000 USD" in said
    linked = re.findall(rf'href="/console/calls/{SID}#fact-(\d+)"', page.get_data(as_text=True))
    assert list(map(int, linked)) == entry.facts
    assert "card 1, rules 1" in said
    assert f'href="/console/calls/{SID}"' in page.get_data(as_text=True)
    assert SID in words(client.get("/console/evidence/2026-10/naive"))
    assert client.get("/console/evidence/2026-10/nothing").status_code == 404


def test_a_line_leads_to_the_entries_of_its_queue_alone(month: Wiring, signed_in: SignedIn) -> None:
    client = signed_in("finance")
    sheet = client.get("/console/statements/2026-10").get_data(as_text=True)
    (link,) = re.findall(r'href="(/console/evidence/2026-10/fixed\?queue=&amp;currency=USD)"', sheet)
    assert client.get(html.unescape(link)).get_data(as_text=True).count('id="entry-') == 31
    assert "Nothing of this month" in words(client.get("/console/evidence/2026-10/fixed?queue=billing"))
    assert "Nothing of this month" in words(client.get("/console/evidence/2026-10/fixed?queue=&currency="))


def test_callers_alike_lead_to_the_calls_in_which_they_were_drawn(
    db: Connection, month: Wiring, signed_in: SignedIn
) -> None:
    sid = "CA" + "2" * 32
    began = BEGAN - timedelta(days=14)
    add_call(db, sid, began, key="drawn")
    facts.add(db, sid, "assigned", began + timedelta(seconds=40), {"arm": "treat", "probability": 0.9})
    settle(month)
    client = signed_in("finance")
    alike = client.get("/console/evidence/2026-09/incremental").get_data(as_text=True)
    (link,) = re.findall(r'href="(/console/evidence/2026-09/incremental\?[^"]+)"', alike)
    page = client.get(html.unescape(link))
    assert f'href="/console/calls/{sid}"' in page.get_data(as_text=True)
    assert "one of each caller" in words(page)
    none = html.unescape(link).replace("arm=treat", "arm=holdout")
    assert sid not in words(client.get(none))
    for wrong in ("arm=treat", "arm=treat&week=soon&share=0.9", "queue=%00"):
        assert client.get(f"/console/evidence/2026-09/incremental?{wrong}").status_code == 404


def test_long_evidence_is_told_page_by_page(
    month: Wiring, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in("finance")
    first = client.get("/console/evidence/2026-10/net").get_data(as_text=True)
    assert first.count('id="entry-') == 33  # 31 days of hosting, a text, a saving
    assert "after=" not in first
    monkeypatch.setattr(figures, "ON_A_PAGE", 10)
    some = client.get("/console/evidence/2026-10/net?endpoint=x&_scheme=y").get_data(as_text=True)
    (more,) = re.findall(r'class="pager"><a href="([^"]*)"', some)
    assert more.startswith("/console/evidence/2026-10/net?after=")


def test_the_funnel_counts_those_who_could_be_offered_something(
    db: Connection, wiring: Wiring, signed_in: SignedIn
) -> None:
    wiring.development_account = False
    add_call(db, SID, BEGAN)
    use_text(db, SID, BEGAN)
    facts.add(db, SID, "eligible", BEGAN + timedelta(seconds=39), {"article": "a1"})
    settle(wiring)
    client = signed_in("finance")
    for by, part in (("queue", "billing"), ("leaf", "bill"), ("article", "a1"), ("week", "2026-10-05")):
        said = words(client.get(f"/console/funnel?month=2026-10&by={by}"))
        assert f"{part} offered 1 1 1 100% 0 0% 1 100% 1 100% 1 100%" in said, said
    assert client.get("/console/funnel?by=colour").status_code == 404


def test_the_dictionary_is_the_codes_own_words(signed_in: SignedIn) -> None:
    said = words(signed_in("finance").get("/console/metrics"))
    assert "Newcombe's hybrid score interval" in said
    assert "ivr.ledger.estimate.newcombe" in said


def test_rows_that_were_parked_are_listed_with_their_reason(month: Wiring, signed_in: SignedIn) -> None:
    client = signed_in("finance")
    page = client.get("/console/contacts")
    (link,) = re.findall(r'href="(/console/contacts\?parked=\d+)"', page.get_data(as_text=True))
    assert "'at' is no time" in words(client.get(link))


@pytest.mark.parametrize("month_text", ["2026-13", "soon", "2026-1", "99999-01"])
def test_what_is_no_month_is_a_page_that_is_not_there(signed_in: SignedIn, month_text: str) -> None:
    assert signed_in("finance").get(f"/console/statements/{month_text}").status_code == 404


def test_what_the_ledger_says_rests_on_all_that_it_adds_up() -> None:
    for label in ("Ledger: contacts confirmed, less haircut and what was taken back", "Ledger: worth less all costs"):
        assert evidence_of("numbers", label) == "net"
