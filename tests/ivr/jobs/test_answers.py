"""Texts that come in, and what is answered."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from psycopg import Connection

from ivr import kept_texts
from ivr.call.events import Found
from ivr.carrier.inbound import Message
from ivr.jobs import answer_text as module
from ivr.jobs.answer_text import PER_HOUR, answer_text
from ivr.jobs.erase_old import erase_old
from ivr.jobs.worker import drain
from ivr.texts.segments import count
from models import articles, facts, optouts, texts
from search.article import Answer, Article
from search.result import ArticleCard
from tests.ivr.jobs.conftest import CALLER, OTHER, OUR_NUMBER, Desk

ARTICLE = Article(
    id="router-light-red",
    title="Router light stays red",
    question="",
    answers=(Answer("1. Hold the reset key for ten seconds.\n2. Wait until the light is green.", accepted=True),),
)


class Phone:
    """A customer's phone that answers our texts."""

    def __init__(self, desk: Desk, number: str = CALLER) -> None:
        self.desk, self.number, self.count = desk, number, 0

    def says(self, body: str, opt_out_type: str | None = None) -> str | None:
        self.count += 1
        return answer_text(self.desk.wiring, self.message(body, opt_out_type))

    def message(self, body: str, opt_out_type: str | None = None) -> Message:
        return Message(f"SM{self.number[1:]}{self.count:021}", self.number, OUR_NUMBER, body, opt_out_type)


@pytest.fixture
def phone(desk: Desk, db: Connection) -> Phone:
    """A phone that got a text about the router."""
    articles.upsert_many(db, [ARTICLE], "tests")
    assert desk.ask(db) is not None
    drain(desk.wiring)
    desk.pass_time(60)
    return Phone(desk)


def names(desk: Desk, db: Connection) -> list[str]:
    return desk.facts(db)[2:]  # after text_queued and sent


def test_one_says_solved(desk: Desk, db: Connection, phone: Phone) -> None:
    assert phone.says("1") == "Lumora: wonderful, thank you for telling us."
    assert names(desk, db) == ["said_solved", "replied"]
    card = articles.card(db, ARTICLE.id)
    assert card is not None
    assert card.helped == 1
    desk.pass_time(120)
    assert phone.says("thanks!") is None  # said already: two machines do not thank each other for ever
    assert names(desk, db) == ["said_solved", "replied", "replied"]


def test_two_gives_the_number_to_tap(desk: Desk, db: Connection, phone: Phone) -> None:
    reply = phone.says("no, still broken")
    assert reply is not None
    number = desk.plan.callback_number or OUR_NUMBER
    assert f"call {number} and press 1" in reply
    assert names(desk, db) == ["said_not", "replied"]


def test_three_gives_the_steps(desk: Desk, db: Connection, phone: Phone) -> None:
    assert phone.says("3") == ("Lumora: 1. Hold the reset key for ten seconds. 2. Wait until the light is green.")
    assert names(desk, db) == ["steps_sent", "replied"]
    assert facts.of_call(db, f"CA{1:032x}")[-2].data["segments"] == 1


def test_steps_that_are_gone_become_the_link(desk: Desk, db: Connection, phone: Phone) -> None:
    db.execute("DELETE FROM articles")
    reply = phone.says("3")
    text = kept_texts.opened(desk.wiring, texts.of_call(db, f"CA{1:032x}")[0])
    assert reply is not None
    assert reply.endswith(f"/r/{text.token}")


def test_a_repeated_message_gets_the_same_reply_and_counts_once(desk: Desk, db: Connection, phone: Phone) -> None:
    message = phone.message("1")
    replies = {answer_text(desk.wiring, message) for _ in range(3)}
    assert replies == {"Lumora: wonderful, thank you for telling us."}
    assert names(desk, db) == ["said_solved", "replied"]


def test_a_message_delivered_twice_at_once_counts_once(desk: Desk, db: Connection, phone: Phone) -> None:
    message, replies = phone.message("2"), list[str | None]()
    ready = threading.Barrier(3)

    def race() -> None:
        ready.wait()
        replies.append(answer_text(desk.wiring, message))

    threads = [threading.Thread(target=race) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(replies) == 3
    assert len(set(replies)) == 1
    assert names(desk, db) == ["said_not", "replied"]


@pytest.mark.parametrize("body", ["STOP", "stop ", "UNSUBSCRIBE"])
def test_the_carriers_own_stop_is_obeyed_without_a_second_reply(
    desk: Desk, db: Connection, phone: Phone, body: str
) -> None:
    assert phone.says(body) is None
    assert names(desk, db) == ["opted_out", "replied"]
    assert desk.ask(db, call=2) is None


@pytest.mark.parametrize("body", ["please stop texting me", "ALTO", "opt out", "No me escriban más"])
def test_stop_in_free_words_is_confirmed_once(desk: Desk, db: Connection, phone: Phone, body: str) -> None:
    reply = phone.says(body)
    assert reply is not None
    assert reply.startswith("Lumora: done, you get no more texts")
    assert phone.says(body) is None
    assert phone.says("1") is None
    assert optouts.is_out(db, desk.wiring.numbers.key(CALLER))
    assert names(desk, db) == ["opted_out", "replied", "replied", "replied"]


def test_advanced_opt_out_is_believed(desk: Desk, db: Connection, phone: Phone) -> None:
    assert phone.says("detengan esto", opt_out_type="STOP") is None
    assert optouts.is_out(db, desk.wiring.numbers.key(CALLER))
    assert phone.says("again", opt_out_type="START") is None
    assert not optouts.is_out(db, desk.wiring.numbers.key(CALLER))
    assert phone.says("what is this", opt_out_type="HELP") is None
    assert names(desk, db) == ["opted_out", "replied", "opted_in", "replied", "replied"]


def test_start_lets_texts_come_again(desk: Desk, db: Connection, phone: Phone) -> None:
    phone.says("stop texting me")
    assert phone.says("start again please") == "Lumora: welcome back, texts are on again. STOP to end, HELP for help"
    assert desk.ask(db, call=2) is not None


def test_stop_cancels_what_is_still_queued(desk: Desk, db: Connection, phone: Phone) -> None:
    waiting = desk.ask(db, call=2)
    assert waiting is not None
    phone.says("stop texting me")
    drain(desk.wiring)
    assert len(desk.carrier.accepted) == 1
    row = texts.read(db, waiting.id)
    assert row is not None
    assert row.status == "canceled"


def _find(monkeypatch: pytest.MonkeyPatch, found: Found) -> None:
    monkeypatch.setattr(module, "find", lambda *_: found)


CARD = ArticleCard("wifi-weak", "Wi-Fi is weak upstairs", None, None, 0, 0, "en")
NOTHING = Found((), "nothing_near", 0.2, None, "v1")
FOUND = Found((CARD,), None, 0.8, 0.2, "v1")


def test_a_question_is_answered_with_an_article(
    desk: Desk, db: Connection, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    _find(monkeypatch, FOUND)
    reply = phone.says("the wifi is so slow in my bedroom")
    assert reply is not None
    row = texts.latest_to(db, desk.wiring.numbers.key(CALLER), desk.now - timedelta(days=1))
    assert row is not None
    assert (row.kind, row.article_id, row.status) == ("reply", "wifi-weak", "sent")
    link = f"{desk.wiring.settings.link_base_url}/r/{kept_texts.opened(desk.wiring, row).token}"
    assert reply == f"Lumora: this may be it: Wi-Fi is weak upstairs {link}"
    assert count(reply).segments == 1
    assert names(desk, db) == ["question_answered", "replied"]
    desk.pass_time(1)
    phone.says("1")  # about the answer, not about the text of the call
    assert [fact.data.get("article") for fact in facts.of_call(db, row.call_sid)] == ["wifi-weak", None]


def test_a_question_without_an_answer_gets_the_number(
    desk: Desk, db: Connection, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    _find(monkeypatch, NOTHING)
    reply = phone.says("what is the meaning of it all")
    assert reply is not None
    assert (desk.plan.callback_number or OUR_NUMBER) in reply
    assert facts.of_call(db, f"CA{1:032x}")[-2].data["reason"] == "nothing_near"
    assert phone.says("I am out of office until Monday") is None  # once a minute to words we do not know
    desk.pass_time(61)
    assert phone.says("what is the meaning of it all") is not None


def test_a_question_about_what_is_never_offered_gets_the_number_only(
    desk: Desk, db: Connection, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    _find(monkeypatch, FOUND)
    reply = phone.says("I think this is fraud, how do I stop it on the router")
    assert reply is not None
    assert "/r/" not in reply
    assert facts.of_call(db, f"CA{1:032x}")[-2].data["reason"] == "never_offer"


def test_two_machines_answering_each_other_soon_fall_silent(
    desk: Desk, db: Connection, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    _find(monkeypatch, FOUND)
    replies = [phone.says("I am out of office") for _ in range(30)]
    assert sum(reply is not None for reply in replies) == PER_HOUR + 1
    assert "as much as we can answer" in str(replies[PER_HOUR])
    desk.pass_time(3601)
    assert phone.says("I am out of office") is not None


def test_somebody_who_never_called_is_answered_too(desk: Desk, db: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    _find(monkeypatch, FOUND)
    stranger = Phone(desk, OTHER)
    assert str(stranger.says("wifi is weak")).startswith("Lumora: this may be it")
    stranger = Phone(desk, "+12025550177")
    assert stranger.says("thanks") is None
    assert "ask anything" in str(stranger.says("3")).lower()
    assert stranger.says("HELP") is None
    desk.pass_time(61)
    assert "ask anything" in str(stranger.says("help please")).lower()
    assert stranger.says("  ") is None


def test_a_number_that_opted_out_hears_nothing_more(desk: Desk, db: Connection, phone: Phone) -> None:
    phone.says("STOP")
    for body in ("1", "2", "3", "help please", "what now"):
        assert phone.says(body) is None


def test_the_follow_up_goes_out_in_daytime_and_once(desk: Desk, db: Connection) -> None:
    plan = replace(desk.plan, offers=replace(desk.plan.offers, follow_up=True, follow_up_after_h=3))
    assert desk.ask(db, plan=plan) is not None
    assert desk.facts(db) == ["text_queued", "follow_up_queued"]
    drain(desk.wiring)
    assert len(desk.carrier.accepted) == 1
    desk.pass_time(3 * 3600 + 10)
    drain(desk.wiring)
    drain(desk.wiring)
    assert [body for _, body, _ in desk.carrier.accepted][1:] == [
        "Lumora: did the steps help? Reply 1 solved, 2 not. STOP to end"
    ]
    assert desk.facts(db) == ["text_queued", "follow_up_queued", "sent", "sent"]


def test_the_follow_up_waits_for_the_morning(desk: Desk, db: Connection) -> None:
    plan = replace(desk.plan, offers=replace(desk.plan.offers, follow_up=True, follow_up_after_h=3))
    desk.pass_time(7 * 3600)  # 19 h in New York
    desk.ask(db, plan=plan)
    due = db.execute("SELECT due_at FROM texts WHERE kind = 'follow_up'").fetchone()
    assert due is not None
    assert (due[0].hour, due[0].minute) == (13, 0)  # 8 h in New York


def test_hours_that_got_quiet_meanwhile_hold_the_follow_up_back(
    desk: Desk, db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.pass_time(4 * 3600)  # 16 h in New York
    desk.ask(db, plan=replace(desk.plan, offers=replace(desk.plan.offers, follow_up=True)))
    drain(desk.wiring)
    quieter = replace(desk.plan, offers=replace(desk.plan.offers, quiet_from_h=17))
    monkeypatch.setattr(desk.wiring.plans, "plan", quieter)
    desk.pass_time(3 * 3600 + 10)
    drain(desk.wiring)
    assert len(desk.carrier.accepted) == 1


@pytest.mark.parametrize("what", ["1", "no", "stop texting me", "agent"])
def test_the_follow_up_is_cancelled(desk: Desk, db: Connection, what: str) -> None:
    plan = replace(desk.plan, offers=replace(desk.plan.offers, follow_up=True))
    desk.ask(db, plan=plan)
    drain(desk.wiring)
    desk.pass_time(60)
    if what == "agent":
        desk.wiring.cancel_follow_ups(db, f"CA{1:032x}")
    else:
        Phone(desk).says(what)
    desk.pass_time(4 * 3600)
    drain(desk.wiring)
    assert len(desk.carrier.accepted) == 1


def test_what_is_old_is_erased_and_the_facts_stay(desk: Desk, db: Connection, phone: Phone) -> None:
    phone.says("2")
    before = facts.count(db)
    desk.pass_time(31 * 24 * 3600)
    erase_old(desk.wiring)
    assert db.execute("SELECT count(*) FROM numbers WHERE sealed IS NOT NULL").fetchone() == (0,)
    assert db.execute("SELECT count(*) FROM texts WHERE body <> ''").fetchone() == (0,)
    assert db.execute("SELECT count(*) FROM inbound_texts WHERE reply IS NOT NULL").fetchone() == (0,)
    assert facts.count(db) == before


def test_an_answer_to_the_follow_up_and_a_tap_on_the_page_count_once(desk: Desk, db: Connection) -> None:
    articles.upsert_many(db, [ARTICLE], "tests")
    plan = replace(desk.plan, offers=replace(desk.plan.offers, follow_up=True, follow_up_after_h=3))
    asked = desk.ask(db, plan=plan)
    drain(desk.wiring)
    desk.pass_time(3 * 3600 + 60)
    drain(desk.wiring)
    db.execute("UPDATE texts SET id = '0' || id WHERE kind = 'follow_up'")  # sorts before the link's own
    assert Phone(desk).says("1") is not None
    about = [fact.data["text_id"] for fact in facts.of_call(db, f"CA{1:032x}") if fact.name == "said_solved"]
    assert asked is not None
    assert about == [asked.id]


def test_nobody_is_asked_whether_a_text_helped_that_never_went(desk: Desk, db: Connection) -> None:
    plan = replace(desk.plan, offers=replace(desk.plan.offers, follow_up=True, follow_up_after_h=3))
    desk.ask(db, plan=plan)
    desk.pass_time(601)
    drain(desk.wiring)
    desk.pass_time(3 * 3600)
    drain(desk.wiring)
    assert desk.carrier.accepted == []
    assert [text.status for text in texts.of_call(db, f"CA{1:032x}") if text.kind == "follow_up"] == ["canceled"]


def test_erasure_takes_longer_than_a_webhook_may(desk: Desk, db: Connection, phone: Phone) -> None:
    db.execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(2.2); RETURN NEW; END $$;"
        "CREATE TRIGGER slow BEFORE UPDATE ON texts FOR EACH ROW EXECUTE FUNCTION slow()"
    )
    desk.pass_time(31 * 24 * 3600)
    erase_old(desk.wiring)
    assert db.execute("SELECT body FROM texts").fetchall() == [("",)]
    with desk.wiring.pool.connection() as conn:
        assert conn.execute("SHOW statement_timeout").fetchone() == ("2s",)


def asks(desk: Desk, number: str) -> str | None:
    return Phone(desk, number).says("how do I get a fixed address")


def test_numbers_that_begin_alike_share_an_hours_answers(desk: Desk, db: Connection) -> None:
    desk.wiring.settings = desk.wiring.settings.model_copy(update={"prefix_answers_an_hour": 2})
    block = [f"+120255501{last}" for last in (43, 55, 67, 79)]
    assert [asks(desk, number) is not None for number in block] == [True, True, False, False]
    assert asks(desk, "+12125550187") is not None  # another block
    desk.pass_time(3601)
    assert asks(desk, "+12025550188") is not None


def test_all_numbers_together_have_an_hours_answers(desk: Desk, db: Connection) -> None:
    desk.wiring.settings = desk.wiring.settings.model_copy(update={"answers_an_hour": 1})
    assert asks(desk, CALLER) is not None
    assert asks(desk, "+12125550187") is None
    desk.pass_time(3601)
    assert asks(desk, "+13105550112") is not None


def test_what_is_said_beyond_the_budget_counts_without_an_answer(desk: Desk, db: Connection, phone: Phone) -> None:
    desk.wiring.settings = desk.wiring.settings.model_copy(update={"answers_an_hour": 0})
    assert phone.says("1") is None
    assert phone.says("please stop texting me") is None
    assert phone.says("3") is None
    assert names(desk, db) == ["said_solved", "replied", "opted_out", "replied", "replied"]
    assert optouts.is_out(db, desk.wiring.numbers.key(CALLER))


def test_a_number_of_a_country_without_texts_gets_no_answer(desk: Desk, db: Connection) -> None:
    assert asks(desk, "+18765550143") is None  # Jamaica begins with +1 as well
    assert asks(desk, "+4915112345678") is None
    assert asks(desk, "24273") is None  # a short code: some machine
    assert [fact.name for fact in facts.stream(db)] == ["replied"] * 3
