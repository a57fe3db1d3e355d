"""The words of an offer: meaning first, keys last, at most 40."""

from ivr.call.plan import Plan
from ivr.call.prompts import Say
from ivr.call.speech import first_words
from ivr.call.state import CallState, Offer
from ivr.call.wording import words

MOST_WORDS = 40
TITLE_WORDS = 12
USEFUL_VOTES = 3
HELPED_CALLERS = 2  # the sentence speaks of several


def wording(offer: Offer) -> str:
    """Which choice the words name: text_or_hear, text or hear."""
    return "text_or_hear" if offer.text and offer.hear else "text" if offer.text else "hear"


def offering(state: CallState, plan: Plan, offer: Offer) -> Say:
    """The offer during the hold."""
    keys = _keys(state, plan, offer, f"offer_{wording(offer)}")
    return _fitted(state, plan, offer, "offer_opening", _proof(state, plan, offer), keys)


def reminding(state: CallState, plan: Plan, offer: Offer) -> Say:
    """The one reminder."""
    return _fitted(state, plan, offer, "reminder", "", _keys(state, plan, offer, f"offer_{wording(offer)}"))


def closing(state: CallState, plan: Plan, offer: Offer) -> Say:
    """The offer where nobody can answer."""
    keys = _keys(state, plan, offer, f"closed_offer_{wording(offer)}")
    return _fitted(state, plan, offer, "closed_offer_opening", "", keys)


def _fitted(state: CallState, plan: Plan, offer: Offer, opening: str, proof: str, keys: str) -> Say:
    """Opening, proof and keys in at most 40 words: the proof goes first, then the end of the title."""
    who = offer.card.author or words(plan, state.language, "another_customer")
    title = first_words(offer.card.spoken or offer.card.title, TITLE_WORDS).rstrip(".")
    while True:
        said = words(plan, state.language, opening, who=who, title=title)
        text = " ".join(part for part in (said, proof, keys) if part)
        if len(text.split()) <= MOST_WORDS or (not proof and len(title.split()) <= 1):
            return Say(text, state.language)
        if proof:
            proof = ""
        else:
            title = first_words(title, len(title.split()) - 1)


def _proof(state: CallState, plan: Plan, offer: Offer) -> str:
    if offer.card.helped >= HELPED_CALLERS:
        return words(plan, state.language, "proof_helped", n=f"{offer.card.helped:,}")
    if offer.card.votes >= USEFUL_VOTES:
        return words(plan, state.language, "proof_useful", n=f"{offer.card.votes:,}")
    return ""


def _keys(state: CallState, plan: Plan, offer: Offer, key: str) -> str:
    notice = _notice(state, plan, offer)
    line = words(plan, state.language, key)
    return f"{notice} {line}" if notice else line


def _notice(state: CallState, plan: Plan, offer: Offer) -> str:
    """Said before key 1 where a later text asks whether it helped."""
    return words(plan, state.language, "follow_up_notice") if offer.text and plan.offers.follow_up else ""
