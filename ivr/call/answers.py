"""Whether an article may answer a question that came by text, at this moment. Pure."""

from ivr.call.moment import Moment
from ivr.call.plan import Leaf, Plan
from search.result import ArticleCard


def withheld(card: ArticleCard, plan: Plan, moment: Moment, leaf: str | None) -> str | None:
    """Why nobody is given this article now: by a switch, or for an incident; None when it may go. `leaf` is that of the
    call the question goes back to, None out of the blue.

    A question has no leaf of its own: an incident holds back whatever its leaves may offer.
    """
    leaves = {one.id: one for _, one in plan.leaves().values()}
    asked_at = leaves.get(leaf or "")
    if plan.offers.stopped or moment.stopped or (asked_at is not None and asked_at.queue in moment.stopped_queues):
        return "stopped"
    if moment.concerning(leaf):
        return "incident"
    concerned = (one for one in leaves.values() if moment.concerning(one.id))
    return "incident" if any(_offers(one, card) for one in concerned) else None


def _offers(leaf: Leaf, card: ArticleCard) -> bool:
    """Whether callers of a leaf may be offered an article."""
    if leaf.never_offer or card.id in leaf.forbidden:
        return False
    pinned = card.id in leaf.pinned.get(card.language, ())
    return pinned or not leaf.allowed_tags or not leaf.allowed_tags.isdisjoint(card.tags)
