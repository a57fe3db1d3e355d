"""The body of a text: the plan's wording, the title made fit, the link.

One segment, unless the wording itself is longer.
"""

from dataclasses import dataclass

from ivr.call.plan import Plan
from ivr.call.wording import words
from ivr.texts.segments import GSM_PART, GSM_SINGLE, count, width
from ivr.texts.smsable import cut, smsable, to_gsm

LEAST_TITLE = 12  # septets a title must get before a second segment is taken
STEPS_SEGMENTS = 3


@dataclass(frozen=True, slots=True)
class Composed:
    """A body ready to send; `segments` is our own count."""

    body: str
    segments: int


def _composed(body: str) -> Composed:
    return Composed(body, count(body).segments)


def _room(fixed: int) -> int:
    """Septets left for a value beside `fixed` ones, in as few segments as leave it LEAST_TITLE."""
    if GSM_SINGLE - fixed >= LEAST_TITLE:
        return GSM_SINGLE - fixed
    parts = 2
    while parts * GSM_PART - fixed < LEAST_TITLE:
        parts += 1
    return parts * GSM_PART - fixed


def _fitted(plan: Plan, language: str, key: str, title: str, link: str) -> Composed:
    brand = to_gsm(plan.brand)
    fixed = width(to_gsm(words(plan, language, key, brand=brand, title="", link=link)))
    safe = smsable(title) or to_gsm(words(plan, language, "text_discreet_title"))
    body = to_gsm(words(plan, language, key, brand=brand, title=cut(safe, _room(fixed)), link=link))
    return _composed(body)


def link_text(plan: Plan, language: str, *, title: str, link: str, discreet: bool) -> Composed:
    """`<brand>: <title> <link> ...`. A discreet one says no subject. `link` is ASCII and kept as it is."""
    return _fitted(plan, language, "text_link", "" if discreet else title, link)


def title_room(plan: Plan, language: str, link: str) -> int:
    """Septets a title gets in one segment with such a link; the doctor warns under 30."""
    return GSM_SINGLE - width(to_gsm(words(plan, language, "text_link", brand=to_gsm(plan.brand), title="", link=link)))


def found_text(plan: Plan, language: str, *, title: str, link: str) -> Composed:
    """The answer to a question by text: an article and its link."""
    return _fitted(plan, language, "reply_found", title, link)


def news_text(plan: Plan, language: str, *, news: str, link: str) -> Composed:
    """What there is to tell of an incident, and where it is told anew. `news` is kept whole."""
    brand = to_gsm(plan.brand)
    return _composed(to_gsm(words(plan, language, "text_news", brand=brand, news=to_gsm(news), link=link)))


def follow_up_text(plan: Plan, language: str) -> Composed:
    """The later "did it help?"."""
    return _composed(to_gsm(words(plan, language, "text_follow_up", brand=to_gsm(plan.brand))))


def steps_text(plan: Plan, language: str, steps: str) -> Composed | None:
    """The steps of an article in at most three segments, cut at a word; None where nothing of them is left."""
    brand = to_gsm(plan.brand)
    fixed = width(to_gsm(words(plan, language, "reply_steps", brand=brand, steps="")))
    safe = smsable(steps)
    if not safe:
        return None
    return _composed(
        to_gsm(words(plan, language, "reply_steps", brand=brand, steps=cut(safe, STEPS_SEGMENTS * GSM_PART - fixed)))
    )


def plain_text(plan: Plan, language: str, key: str, **values: str) -> Composed:
    """Any other reply of the plan; its values (brand, number, link) are ours."""
    return _composed(to_gsm(words(plan, language, key, **values)))
