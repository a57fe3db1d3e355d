"""Whether a text the caller asked for may go."""

from dataclasses import dataclass

from ivr.call.plan import OfferRules

#: why a text may not go: data of the fact `text_refused`, beside `ivr.call.offers.TEXT_REFUSALS`
REFUSALS = (
    "opted_out",
    "kind",
    "country",
    "repeat",
    "call_cap",
    "day_cap",
    "typed_cap",
    "prefix_cap",
    "country_cap",
    "minute_cap",
    "withdrawn",
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is on record about a number at this moment."""

    opted_out: bool
    textable: bool  # a kind of number that takes texts
    country_allowed: bool
    typed: bool  # typed by the caller, not the number the call came from
    again: bool  # this call asked for this article before
    in_call: int  # texts of this call so far
    in_day: int  # texts to this number within 24 h
    typed_in_day: int  # of these, the typed ones
    prefix_spent: bool  # the day's budget of the numbers that begin alike
    country_spent: bool  # the day's budget of the number's country
    minute_spent: bool  # the minute's budget of all numbers together


def may_text(standing: Standing, rules: OfferRules) -> str | None:
    """None when it may go, else one of REFUSALS ("withdrawn" is the article's affair, not the number's)."""
    if standing.opted_out:
        return "opted_out"
    if not standing.textable:
        return "kind"
    if not standing.country_allowed:
        return "country"
    if standing.again:
        return "repeat"
    if standing.in_call >= rules.texts_per_call:
        return "call_cap"
    if standing.in_day >= rules.texts_per_day:
        return "day_cap"
    if standing.typed and standing.typed_in_day >= rules.typed_texts_per_day:
        return "typed_cap"
    if standing.prefix_spent:
        return "prefix_cap"
    if standing.country_spent:
        return "country_cap"
    return "minute_cap" if standing.minute_spent else None
