"""The words of an offer: meaning first, keys last, at most 40."""

import re

from ivr.call.plan import Plan
from ivr.call.prompts import Say
from ivr.call.speech import first_words
from ivr.call.state import CallState, Offer
from ivr.call.wording import words

MOST_WORDS = 40
TITLE_WORDS = 12
USEFUL_VOTES = 3
HELPED_CALLERS = 2  # the sentence speaks of several
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_NAMES_A_KEY = re.compile(r"\d|\b(?:press|key|oprima|presione|marque|pulse)\b", re.IGNORECASE)


def wording(offer: Offer) -> str:
    """Which choice the words name: text_or_hear, text or hear."""
    return "text_or_hear" if offer.text and offer.hear else "text" if offer.text else "hear"


def offering(state: CallState, plan: Plan, offer: Offer) -> Say:
    """The offer during the hold."""
    return _fitted(state, plan, offer, "offer_opening", f"offer_{wording(offer)}", _proof(state, plan, offer))


def reminding(state: CallState, plan: Plan, offer: Offer) -> Say:
    """The one reminder."""
    return _fitted(state, plan, offer, "reminder", f"offer_{wording(offer)}")


def closing(state: CallState, plan: Plan, offer: Offer) -> Say:
    """The offer where nobody can answer."""
    return _fitted(state, plan, offer, "closed_offer_opening", f"closed_offer_{wording(offer)}")


def _fitted(state: CallState, plan: Plan, offer: Offer, opening: str, keys: str, proof: str = "") -> Say:
    """Opening, proof and keys in at most 40 words. What is said beside goes first ("or just keep holding"): one such
    sentence for the proof, then the proof, then the others for the title; the end of the title goes last."""
    who = offer.card.author or words(plan, state.language, "another_customer")
    title = first_words(offer.card.spoken or offer.card.title, TITLE_WORDS).rstrip(".")
    asks, asides = _parted(words(plan, state.language, keys))
    notice = _notice(state, plan, offer)

    def said(proof: str, dropped: int) -> str:
        start = words(plan, state.language, opening, who=who, title=title)
        return " ".join(part for part in (start, proof, notice, *asks, *asides[dropped:]) if part)

    drops = range(len(asides) + 1)
    shapes = [(proof, dropped) for dropped in drops[:2] if proof] + [("", dropped) for dropped in drops]
    while True:
        for shape in shapes:
            if len(said(*shape).split()) <= MOST_WORDS:
                return Say(said(*shape), state.language)
        if len(title.split()) <= 1:
            return Say(said(*shapes[-1]), state.language)
        title = first_words(title, len(title.split()) - 1)
        shapes = shapes[-1:]


def _parted(line: str) -> tuple[list[str], list[str]]:
    """The sentences of a line up to the last that names a key, and those after it."""
    sentences = _SENTENCE_END.split(line)
    last = max((place for place, one in enumerate(sentences) if _NAMES_A_KEY.search(one)), default=len(sentences))
    return sentences[: last + 1], sentences[last + 1 :]


def _proof(state: CallState, plan: Plan, offer: Offer) -> str:
    if offer.card.helped >= HELPED_CALLERS:
        return words(plan, state.language, "proof_helped", n=f"{offer.card.helped:,}")
    if offer.card.votes >= USEFUL_VOTES:
        return words(plan, state.language, "proof_useful", n=f"{offer.card.votes:,}")
    return ""


def _notice(state: CallState, plan: Plan, offer: Offer) -> str:
    """Said before key 1 where a later text asks whether it helped."""
    return words(plan, state.language, "follow_up_notice") if offer.text and plan.offers.follow_up else ""
