"""An incident: told once and first, no article meanwhile, its news by text on request; and the switches."""

from datetime import timedelta

import pytest

from ivr.call.moment import Incident
from ivr.call.state import CallerKind, Stage
from tests.ivr.call.play import NOON, Play, make_caller, make_plan

OUTAGE = Incident(
    4,
    {"en": "The Internet is down in Maple Street.", "es": "No hay Internet en Maple Street."},
    NOON + timedelta(hours=2),
    frozenset({"red-light", "not-online", "shop"}),
    {"en": "Crews are there; back by 3 pm."},
)
SILENT = Incident(5, {"en": "We are moving house."}, NOON + timedelta(hours=2))


def test_at_the_leaf_the_message_comes_before_the_line() -> None:
    play = Play(incidents=(OUTAGE,)).to_hold()
    assert play.heard == "The Internet is down in Maple Street. You are in line for technical support."
    assert play.data("incident_told") == {"incident": 4, "where": "leaf"}
    play.wait(0)
    assert play.heard == "For news by text, press 1."
    play.wait(20)
    assert play.heard == "You are number 7 in line. About 5 to 10 minutes."


def test_it_comes_before_the_caller_is_asked_for_a_sentence_and_not_again_after_it() -> None:
    play = Play(incidents=(OUTAGE,)).start().press("3").press("2")
    assert play.state.stage is Stage.DESCRIBE
    assert play.heard.startswith("The Internet is down in Maple Street. [notice]")
    play.say("it is all broken")
    assert play.heard == "You are in line for technical support."
    assert play.names.count("incident_told") == 1


def test_a_caller_of_another_leaf_hears_nothing_of_it() -> None:
    play = Play(incidents=(OUTAGE,)).to_hold("2").wait(0).wait(15)
    assert "incident_told" not in play.names
    assert play.state.offer is not None


def test_an_incident_of_all_leaves_reaches_whoever_asks_for_a_person_at_once() -> None:
    play = Play(incidents=(SILENT,)).start().press("0")
    assert play.heard.startswith("We are moving house.")
    play.wait(0)
    assert play.heard.startswith("You are number 7")  # it has no news


def test_no_article_is_offered_while_it_lasts_and_one_is_after_it() -> None:
    play = Play(incidents=(OUTAGE,)).to_hold().wait(0).wait(15).wait(40)
    assert play.data("offer_refused") == {"reason": "incident"}
    assert play.state.arm is None
    play.rest(7200).wait(60)
    assert play.state.offer is not None


def test_who_joined_before_hears_it_once_on_the_next_turn_and_is_not_reminded_of_an_article() -> None:
    play = Play().to_offer().wait(40)
    play.incidents = (OUTAGE,)
    play.wait(60)
    assert play.heard == "The Internet is down in Maple Street. For news by text, press 1."
    assert play.data("incident_told") == {"incident": 4, "where": "hold"}
    for at in (90, 120, 150, 180, 210):
        play.wait(at)
        assert "Still here" not in play.heard
        assert "Maple" not in play.heard


def test_key_one_brings_its_news_once() -> None:
    play = Play(incidents=(OUTAGE,)).to_hold().wait(0).key("1")
    assert play.heard == "[sending]"
    (text,) = play.texts
    assert (text.news, text.article_id, text.to) == ("Crews are there; back by 3 pm.", "incident:4", None)
    assert play.data("news_asked") == {"incident": 4, "key": "1", "ms": 20000, "plan_version": 7, "language": "en"}
    play.key("1")
    assert play.heard == "[already_sent]"
    assert len(play.texts) == 1


def test_a_key_typed_ahead_of_the_question_asks_it_again() -> None:
    play = Play(incidents=(OUTAGE,)).to_hold().wait(0).key("1", after_s=1)
    assert (play.heard, play.texts) == ("For news by text, press 1.", [])
    assert len(play.key("1", after_s=1).texts) == 1  # asked again once: a caller who is quick is not kept from it


def test_key_one_belongs_to_the_offer_again_once_one_is_made() -> None:
    play = Play(incidents=(OUTAGE,)).to_hold().wait(0).wait(15)
    play.incidents = ()
    play.wait(40)
    assert play.state.served is not None
    assert play.state.served.what == "offer"
    play.key("1")
    assert [text.news for text in play.texts] == [None]


def test_key_one_after_its_end_is_told_so() -> None:
    play = Play(incidents=(OUTAGE,)).to_hold().wait(0)
    play.incidents = ()
    play.key("1")
    assert (play.heard, play.texts) == ("[incident_over]", [])


def test_the_caps_hold_for_its_news_too() -> None:
    play = Play(incidents=(OUTAGE,)).to_hold().wait(0)
    play.refusal = "day_cap"
    play.key("1")
    assert play.heard == "[cannot_text]"
    assert play.data("text_refused") == {"reason": "day_cap", "incident": 4}
    assert play.texts == []


@pytest.mark.parametrize(
    "caller", [make_caller(CallerKind.LANDLINE), make_caller(opted_out=True), make_caller(texts_today=3)]
)
def test_who_can_have_no_text_is_asked_for_none(caller: object) -> None:
    play = Play(incidents=(OUTAGE,), caller=caller).to_hold().wait(0)  # type: ignore[arg-type]
    assert "incident_told" in play.names
    assert play.heard.startswith("You are number 7")


def test_where_nobody_can_answer_it_is_heard_first_and_its_news_can_be_had() -> None:
    play = Play(incidents=(OUTAGE,)).start().press("5")
    assert play.heard == "The Internet is down in Maple Street. We are here Mondays at 9. For news by text, press 1."
    assert play.data("incident_told") == {"incident": 4, "where": "closed"}
    play.press("*")
    assert play.heard.startswith("The Internet is down")
    play.press("1")
    assert play.heard == "[goodbye_text]"
    assert [text.news for text in play.texts] == ["Crews are there; back by 3 pm."]


def test_whoever_says_nothing_at_night_is_wished_goodbye() -> None:
    play = Play(incidents=(OUTAGE,)).start().press("5").silent()
    assert (play.heard, play.texts) == ("[goodbye]", [])


def test_a_spanish_caller_hears_it_in_spanish_and_the_rest_in_what_there_is() -> None:
    play = Play(incidents=(OUTAGE, SILENT)).start().press("9").press("3").press("1")
    assert play.heard.startswith("No hay Internet en Maple Street.")
    play.wait(0)
    assert play.heard.startswith("We are moving house.")
    assert [data["incident"] for name, data in play.facts if name == "incident_told"] == [4, 5]


@pytest.mark.parametrize(
    ("switched", "offered"),
    [({"stopped": True}, False), ({"stopped_queues": frozenset({"technical"})}, False),
     ({"stopped_queues": frozenset({"billing"})}, True)],
)  # fmt: skip
def test_a_switch_stops_the_offers_of_its_queue(switched: dict[str, object], offered: bool) -> None:
    play = Play(**switched).to_hold().wait(0).wait(15)  # type: ignore[arg-type]
    assert (play.state.offer is not None) is offered
    assert ([data for name, data in play.facts if name == "offer_refused"] == [{"reason": "stopped"}]) is not offered


def test_a_switch_pulled_on_hold_is_felt_on_the_next_turn_and_undone_on_the_one_after() -> None:
    play = Play().to_hold().wait(0)
    play.stopped = True
    assert play.wait(15).state.offer is None
    play.stopped = False
    assert play.wait(40).state.offer is not None


def test_nobody_is_reminded_once_offers_are_stopped() -> None:
    play = Play(plan=make_plan(reminder_after_s=60)).to_offer().wait(40)
    play.stopped = True
    assert "Still here" not in play.wait(120).heard


def test_the_same_holds_whatever_comes_of_the_plans_own_switch() -> None:
    play = Play(plan=make_plan(stopped=True)).to_hold().wait(0).wait(15)
    assert play.data("offer_refused") == {"reason": "stopped"}
