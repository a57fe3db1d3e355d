"""A caller who cannot be texted types a mobile number, hears it back in groups and confirms. Two tries."""

from ivr.call import texting
from ivr.call.effects import QueueText
from ivr.call.facts import Fact
from ivr.call.moment import Moment
from ivr.call.offers import KEYED_TRIES
from ivr.call.plan import Plan
from ivr.call.prompts import Ask, Say
from ivr.call.speech import in_groups, say
from ivr.call.state import CallState, Keying
from ivr.call.values import Value, replace

TYPING_S = 8
CONFIRMING_S = 5


class Keyed(Value, frozen=True):
    """What came of it.

    While `state.keying` is not NO the caller is to be asked (`question`); else `says` is how it ended,
    `text` what it brought, `left` that the caller chose to stop with 0.
    """

    state: CallState
    says: tuple[Say, ...] = ()
    facts: tuple[Fact, ...] = ()
    text: QueueText | None = None
    left: bool = False


def begin(state: CallState, plan: Plan, words: str = "type_number") -> Keyed:
    """Asks for the number."""
    return Keyed(replace(state, keying=Keying.NUMBER, keyed=""), (say(state, plan, words),))


def stop(state: CallState) -> CallState:
    """No number is being typed, none is kept."""
    return replace(state, keying=Keying.NO, keyed="")


def question(keyed: Keyed, action: str) -> Ask:
    """The question of a keying still under way."""
    number = keyed.state.keying is Keying.NUMBER
    return Ask(
        keyed.says,
        action,
        keyed.state.language,
        keys=None if number else 1,
        finish_key="#" if number else "",
        timeout_s=TYPING_S if number else CONFIRMING_S,
    )


def answer(state: CallState, keys: str, plan: Plan, moment: Moment) -> Keyed:
    """The next keys of a caller who is typing or confirming ('' = none came)."""
    keys = keys.strip()
    if keys == "0":
        return Keyed(stop(state), left=True)
    if state.keying is Keying.NUMBER:
        return _typed(state, keys, plan, moment)
    return _confirmed(state, keys[:1], plan, moment)


def _typed(state: CallState, keys: str, plan: Plan, moment: Moment) -> Keyed:
    if "*" in keys:
        return begin(state, plan)
    if not keys:
        return _again(state, plan)
    check = moment.number_check
    if check is None or check.e164 is None:
        reason = check.reason if check and check.reason else "unchecked"
        again = _again(state, plan, say(state, plan, "number_unusable"))
        return replace(again, facts=(Fact("number_refused", {"reason": reason}),))
    return _read_back(replace(state, keying=Keying.CONFIRM, keyed=check.e164), plan)


def _confirmed(state: CallState, key: str, plan: Plan, moment: Moment) -> Keyed:
    if key == "*":
        return _read_back(state, plan)
    if key == "1":
        return _done(state, plan, moment)
    if key == "2":
        return _again(state, plan)
    if state.keyed_tries + 1 < KEYED_TRIES:
        return _read_back(replace(state, keyed_tries=state.keyed_tries + 1), plan)
    return _again(state, plan)


def _done(state: CallState, plan: Plan, moment: Moment) -> Keyed:
    facts = (Fact("number_typed", {"tries": state.keyed_tries + 1}),)
    number, state = state.keyed, stop(state)
    if moment.text_refusal is not None:
        state = replace(state, keyed_tries=state.keyed_tries + 1)
        state, refused = texting.refuse(state, moment.text_refusal)
        return Keyed(state, (texting.sorry(state, plan, moment.text_refusal),), (*facts, *refused))
    state, text = texting.queue_text(state, plan, moment, number)
    return Keyed(state, (say(state, plan, "sending"),), facts, text)


def _read_back(state: CallState, plan: Plan) -> Keyed:
    return Keyed(state, (say(state, plan, "read_back", digits=in_groups(state.keyed)),))


def _again(state: CallState, plan: Plan, *instead: Say) -> Keyed:
    """Asks once more, in the words of `instead` where something was wrong, or leaves it."""
    state = replace(stop(state), keyed_tries=state.keyed_tries + 1)
    if state.keyed_tries >= KEYED_TRIES:
        return Keyed(state, (say(state, plan, "number_given_up"),))
    keyed = begin(state, plan)
    return replace(keyed, says=instead or keyed.says)
