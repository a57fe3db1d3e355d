"""The experiment: who is offered an article and who holds without, drawn at the instant of the offer."""

from ivr.call.facts import Fact
from ivr.call.plan import OfferRules
from ivr.call.state import Caller, CallState
from ivr.call.values import replace

BUCKETS = 10_000


def arm(caller: Caller, rules: OfferRules) -> tuple[str, float]:
    """(arm, its probability). The draw itself is `caller.bucket`, made from the caller's key."""
    if caller.force_arm is not None:
        return caller.force_arm, 1.0
    held_out = round(rules.holdout_share * BUCKETS)
    if caller.bucket < held_out:
        return "holdout", held_out / BUCKETS
    return "treat", 1 - held_out / BUCKETS


def assign(state: CallState, rules: OfferRules) -> tuple[CallState, tuple[Fact, ...]]:
    """The caller's arm, drawn once per call; nothing new the second time."""
    if state.arm is not None:
        return state, ()
    drawn, probability = arm(state.caller, rules)
    data = {
        "arm": drawn,
        "probability": probability,
        "bucket": state.caller.bucket,
        "experiment": rules.experiment,
        "unit": "caller" if state.caller.key else "call",
        "forced": state.caller.force_arm is not None,
    }
    return replace(state, arm=drawn), (Fact("assigned", data),)
