"""The sentence an agent reads."""

from ivr.agent_note import agent_key, sentence
from ivr.call.state import Caller, CallerKind, CallState, Offer, Returning
from search.result import ArticleCard

CALLER = Caller(CallerKind.MOBILE, "key", 17)
CARD = ArticleCard("red", "Router light stays red", None, None, 3, 0, "en")
OTHER = ArticleCard("slow", "Slow evenings", None, None, 3, 0, "en")


def state(*offers: Offer, **more: object) -> CallState:
    return CallState("CA1", 1, CALLER, "+15005550006", 0, offers=offers, **more)  # type: ignore[arg-type]


def offer(card: ArticleCard = CARD, **more: object) -> Offer:
    return Offer(card, True, True, 0, 20, **more)  # type: ignore[arg-type]


def test_a_caller_who_was_texted() -> None:
    call = state(offer(accepted_ms=5, heard_ms=9), transcript="the light is red.")
    said = sentence(call, ("Internet", "router not online"), {"red": {"sent", "delivered", "clicked"}})
    assert said == (
        "Chose Internet, then router not online; said “the light is red”; was offered “Router light stays red”,"
        " asked for it by text (opened it) and heard the short version."
    )


def test_each_text_has_its_own_fate() -> None:
    call = state(offer(declined=True), offer(OTHER, accepted_ms=1))
    assert sentence(call, (), {"red": {"offered"}, "slow": {"text_queued", "sent", "undelivered"}}) == (
        "Chose nothing in the menu; was offered “Router light stays red”, did not want it;"
        " was offered “Slow evenings”, asked for it by text (it did not arrive)."
    )


def test_silence_and_an_offer_cut_short_are_told_apart() -> None:
    assert sentence(state(offer(played=True)), ("TV",), {}).endswith("did not answer.")
    assert sentence(state(offer()), ("TV",), {}).endswith("was connected before the offer ended.")


def test_a_caller_who_came_back_is_told_as_such() -> None:
    back = Returning("your router", "internet", (), "en")
    said = sentence(state(rejoined=True, returning=back), (), {})
    assert said == "Came back about your router; was offered no article."


def test_another_secret_makes_another_key() -> None:
    assert agent_key("a" * 40) != agent_key("b" * 40)
    assert len(agent_key("a" * 40)) == 40
