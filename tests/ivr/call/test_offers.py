"""When the offer is made, to whom, and in which words."""

from dataclasses import replace

import pytest

from ivr.call.events import Waited
from ivr.call.moment import Outlook
from ivr.call.offer_words import offering
from ivr.call.prompts import Ask, Music
from ivr.call.state import CallerKind, Offer, Stage
from search.result import ArticleCard
from tests.ivr.call.play import CABLE, NOON, ROUTER, SILENT_CARD, Play, make_caller, make_plan, says


def offered_now(play: Play) -> bool:
    return play.state.served is not None and play.state.served.what == "offer"


def music(play: Play) -> int:
    (ask,) = play.prompts
    assert isinstance(ask, Ask)
    assert isinstance(ask.prompts[-1], Music)
    return ask.prompts[-1].seconds


def test_the_first_document_brings_the_next_request_after_twelve_to_twenty_seconds() -> None:
    for position in (None, 1, 7):
        for outlook in ({}, {"technical": Outlook(50, 60.0)}):
            play = Play(outlook=outlook).to_hold().wait(0, position)
            total = sum(len(one.words.split()) / 2.5 for one in says(play.prompts)) + music(play) + 1
            assert 12 <= total <= 20


def test_the_offer_comes_with_the_meaning_first_and_the_key_last() -> None:
    play = Play().to_hold().wait(0)
    assert play.heard == "You are number 7 in line. About 5 to 10 minutes."
    play.wait(12)
    assert play.heard == (
        "While you hold: another customer fixed 'Router light stays red'."
        " For the steps by text, press 1. To hear them, press 2. You keep your place."
    )
    assert play.new_names == ["eligible", "assigned"]
    assert play.data("assigned") == {
        "arm": "treat",
        "probability": 0.9,
        "bucket": 5000,
        "experiment": "offer-1",
        "unit": "caller",
        "forced": False,
    }


def test_no_offer_before_twelve_seconds() -> None:
    assert not offered_now(Play().to_hold().wait(0).wait(11))


@pytest.mark.parametrize("position", [1, 2])
def test_no_offer_to_the_first_two_in_line(position: int) -> None:
    play = Play().to_hold().wait(0, position).wait(15, position).wait(60, position)
    assert play.data("offer_refused") == {"reason": "position"}
    assert play.state.offers == ()


def test_no_offer_for_a_short_wait() -> None:
    play = Play(outlook={"technical": Outlook(50, 29.0)}).to_hold().wait(0, 3).wait(15, 3)
    assert play.data("offer_refused") == {"reason": "wait_short"}
    assert offered_now(Play(outlook={"technical": Outlook(50, 30.0)}).to_hold().wait(0, 3).wait(15, 3))


@pytest.mark.parametrize("outlook", [{}, {"technical": Outlook(19, 60.0)}, {"technical": Outlook(50, None)}])
def test_with_the_wait_unknown_the_offer_comes_at_thirty_seconds(outlook: dict[str, Outlook]) -> None:
    play = Play(outlook=outlook).to_hold().wait(0).wait(15)
    assert not offered_now(play)
    assert play.new_names == []
    assert 15 + music(play) + 1 >= 30
    assert not offered_now(play.wait(29))
    assert offered_now(play.wait(31))


def test_a_holdout_caller_hears_the_same_hold_without_the_offer() -> None:
    play = Play(caller=make_caller(bucket=999)).to_hold().wait(0).wait(15)
    assert play.new_names == ["eligible", "assigned"]
    assert play.data("assigned")["arm"] == "holdout"
    assert play.data("assigned")["probability"] == pytest.approx(0.1)
    assert play.heard == ""
    for at in (60, 140, 300):
        play.wait(at)
    play.key("1").key("2").key("3")
    assert play.texts == []
    assert not {"offered", "offer_refused", "accepted", "declined"} & set(play.names)


def test_the_arm_is_drawn_once_per_call() -> None:
    play = Play().to_offer()
    play.key("2").wait(40).wait(300)
    assert play.state.offers[1].card == CABLE
    assert play.names.count("assigned") == play.names.count("eligible") == 1


def test_a_caller_without_a_number_is_drawn_by_call() -> None:
    play = Play(caller=make_caller(CallerKind.WITHHELD)).to_offer()
    assert play.data("assigned")["unit"] == "call"


def test_the_test_phones_switch_decides_the_arm() -> None:
    play = Play(caller=make_caller(bucket=0, test=True, force_arm="treat")).to_offer()
    assert play.data("assigned") | {"arm": "treat", "probability": 1.0, "forced": True} == play.data("assigned")


def test_silence_is_no_input_and_brings_one_short_reminder() -> None:
    play = Play().to_offer().wait(50)
    assert play.new_names == ["offered", "no_input"]
    play.wait(130, 7)
    assert not play.heard.startswith("Still here")
    play.wait(136, 7)
    assert play.heard.startswith("Still here: 'Router light stays red'.")
    assert "press 1" in play.heard
    for at in (300, 420, 600):
        play.wait(at, 7)
        assert play.heard == ""
    assert play.names.count("offered") == play.names.count("no_input") == 1


def test_what_is_due_after_seconds_goes_by_the_carriers_count_as_well() -> None:
    """Its seconds in the queue are the caller's, also where our clock ran behind."""
    silent = Play().to_offer()
    silent.take(Waited(60, 7)).take(Waited(134, 7))
    assert not silent.heard.startswith("Still here")
    assert silent.take(Waited(136, 7)).heard.startswith("Still here")
    texted = Play().to_offer().key("1")
    asked = texted.state.waited_s
    assert "[not_arrived" not in texted.take(Waited(asked + 40, 7)).heard
    assert "[not_arrived" in texted.take(Waited(asked + 46, 7)).heard
    assert not offered_now(texted.take(Waited(asked + 170, 7)))
    assert offered_now(texted.take(Waited(asked + 181, 7)))


def test_a_round_without_the_seconds_is_counted_on() -> None:
    play = Play().to_hold().wait(0).rest(31).take(Waited(None, 7))
    assert play.state.waited_s == 31
    assert offered_now(play)


def test_no_reminder_for_who_is_nearly_through() -> None:
    play = Play(outlook={}).to_hold().wait(0).wait(31, 4)
    assert "offered" in play.wait(60, 3).names
    assert "Still here" not in play.wait(160, 2).heard
    assert "Still here" not in play.wait(200, 1).heard


@pytest.mark.parametrize("key", ["1", "2", "3"])
def test_no_reminder_after_an_answer(key: str) -> None:
    play = Play(finds=(ROUTER,)).to_offer().key(key).wait(60, 7, router_1="delivered")
    assert not play.wait(200, 7).heard.startswith("Still here")


def test_one_further_article_after_three_minutes_and_never_a_third() -> None:
    play = Play().to_offer().key("2").wait(50).wait(210, 7)
    assert not offered_now(play)
    play.wait(220, 7)
    assert offered_now(play)
    assert "Dana K. fixed 'Loose cable behind the wall'. 41 people found this useful." in play.heard
    play.key("2").wait(300).wait(600).wait(900)
    assert len(play.state.offers) == 2
    assert play.names.count("offered") == 2


def test_no_further_article_for_the_first_two_in_line_or_after_silence() -> None:
    near = Play().to_offer().key("2").wait(50).wait(300, 2)
    silent = Play().to_offer().wait(50).wait(140).wait(400)
    assert len(near.state.offers) == len(silent.state.offers) == 1


def test_no_further_article_after_a_no() -> None:
    play = Play().to_offer().key("2").wait(50).key("3").wait(400).wait(700)
    assert len(play.state.offers) == 1
    assert play.names.count("declined") == 1


def test_the_big_switch_stops_offers() -> None:
    play = Play(plan=make_plan(stopped=True)).to_hold().wait(0).wait(15).wait(40)
    assert play.data("offer_refused") == {"reason": "stopped"}


def test_an_offer_and_its_reminder_wait_until_it_is_less_crowded() -> None:
    play = Play(crowded=True).to_hold().wait(0).wait(15).wait(40)
    assert not offered_now(play)
    assert not {"offer_refused", "eligible", "assigned"} & set(play.names)
    play.crowded = False
    play.wait(60)
    assert offered_now(play)
    play.crowded = True
    assert play.wait(80).wait(200, 7).names.count("no_input") == 1
    assert not play.heard.startswith("Still here")
    play.crowded = False
    assert play.wait(230, 7).heard.startswith("Still here")


def test_without_an_article_nothing_is_offered() -> None:
    play = Play(finds=()).to_hold().wait(0).wait(15).wait(40)
    assert play.data("offer_refused") == {"reason": "no_match"}


def test_an_opted_out_caller_is_only_offered_to_hear_it() -> None:
    play = Play(caller=make_caller(opted_out=True)).to_offer()
    assert "text" not in play.heard
    assert play.heard.endswith("To hear the steps, press 2. You keep your place.")
    unheard = Play(caller=make_caller(opted_out=True), finds=(SILENT_CARD,)).to_hold().wait(0).wait(15)
    assert unheard.data("offer_refused") == {"reason": "opted_out"}


def test_a_caller_over_the_daily_cap_is_offered_no_text() -> None:
    play = Play(caller=make_caller(texts_today=3), finds=(SILENT_CARD,)).to_hold().wait(0).wait(15)
    assert play.data("offer_refused") == {"reason": "cap"}


def test_without_a_short_version_key_two_is_not_named() -> None:
    play = Play(finds=(SILENT_CARD,)).to_offer()
    assert "press 2" not in play.heard
    assert "It has helped 7 callers." in play.heard
    assert play.key("2").heard == ""


def words_of(card: ArticleCard, **rules: object) -> str:
    play = Play(plan=make_plan(**rules)).start()
    offer = Offer(card, hear=True, text=True, first_ms=0, first_waited_s=0)
    return offering(play.state, play.plan, offer).words


def test_the_proof_is_said_only_from_three_votes() -> None:
    assert "2 people" not in words_of(replace(ROUTER, votes=2))
    assert "3 people found this useful." in words_of(replace(ROUTER, votes=3))


def test_callers_helped_win_over_votes() -> None:
    said = words_of(replace(ROUTER, votes=90, helped=4))
    assert "It has helped 4 callers." in said
    assert "90" not in said


ASKS = "To get the steps by text, press 1. To hear them, press 2."
NOTICE = "One text later asks if it helped."


def spoken(title_words: int, *, follow_up: bool = False, votes: int = 12) -> str:
    """The offer of an article with so long a title, in the starter menu's words."""
    plan = make_plan(follow_up=follow_up)
    line = f"{ASKS} Or just keep holding. You won't lose your place."
    english = {**plan.wording["en"], "offer_text_or_hear": line, "follow_up_notice": NOTICE}
    plan = replace(plan, wording={"en": english})
    card = replace(ROUTER, title="why " * title_words, votes=votes)
    said = offering(Play(plan=plan).start().state, plan, Offer(card, True, True, 0, 0)).words
    assert len(said.split()) <= 40
    return said.removeprefix("While you hold: another customer fixed ")


def test_the_proof_is_worth_a_sentence_said_beside_but_not_the_title() -> None:
    proof, whole = "12 people found this useful.", f"{ASKS} Or just keep holding. You won't lose your place."
    assert spoken(7) == f"'{'why ' * 6}why'. {proof} {whole}"
    assert spoken(11) == f"'{'why ' * 10}why'. {proof} {ASKS} You won't lose your place."
    assert spoken(12) == f"'{'why ' * 11}why'. {whole}"


def test_with_follow_ups_the_title_stays_whole() -> None:
    assert spoken(5, follow_up=True, votes=0).endswith("Or just keep holding. You won't lose your place.")
    assert spoken(9, follow_up=True) == f"'{'why ' * 8}why'. {NOTICE} {ASKS} You won't lose your place."
    assert spoken(12, follow_up=True) == f"'{'why ' * 11}why'. {NOTICE} {ASKS}"


def test_an_offer_has_at_most_forty_words_whatever_the_plan_says() -> None:
    plan = make_plan()
    english = {**plan.wording["en"], "offer_text_or_hear": f"{'To get it, ' * 10}press 1. To hear it, press 2."}
    plan = replace(plan, wording={"en": english})
    offer = Offer(replace(ROUTER, title="why " * 9, votes=12), True, True, 0, 0)
    said = offering(Play(plan=plan).start().state, plan, offer).words
    assert said.startswith("While you hold: another customer fixed 'why'. To get it,")
    assert said.endswith("press 1. To hear it, press 2.")


def test_a_title_is_cut_after_twelve_words() -> None:
    said = words_of(replace(ROUTER, title="one two three four five six seven eight nine ten eleven, twelve, thirteen"))
    assert "fixed 'one two three four five six seven eight nine ten eleven, twelve'." in said


def test_a_title_with_braces_is_only_words() -> None:
    assert "fixed '{who} {key} {}'." in words_of(replace(ROUTER, title="{who} {key} {}"))


def test_the_hold_goes_on_when_the_clock_is_not_where_we_think() -> None:
    play = Play(now=NOON).to_offer()
    play.now = NOON  # the clock was set back
    assert play.wait(40).state.stage is Stage.HOLD
