"""A caller who was texted within the last day is asked: about that? Then straight through."""

from ivr.call import joining, menu
from ivr.call.effects import Step
from ivr.call.events import CallStarted, Pressed, Said, Silent
from ivr.call.facts import Fact
from ivr.call.moment import Moment
from ivr.call.plan import Plan
from ivr.call.prompts import Ask, Say
from ivr.call.speech import say
from ivr.call.state import CallState, Stage
from ivr.call.understand import names_agent, says_yes, spoken_key, wants_agent, wants_repeat
from ivr.call.values import replace


def start(state: CallState, event: CallStarted, plan: Plan) -> Step:
    """The first turn of a call."""
    back = event.returning
    wanted = back.language if back else state.language
    state = replace(state, language=plan.language(wanted).code, returning=back)
    data = {"caller": state.caller.kind.value, "returning": back is not None, "test": state.caller.test}
    facts = (Fact("call_started", data),)
    if back is None:
        return replace(menu.ask(state, plan, greet=True), facts=facts)
    known = plan.leaves().get(back.leaf)
    named = back.topic and not (known and known[1].discreet)
    about = say(state, plan, "returning", topic=back.topic) if named else say(state, plan, "returning_discreet")
    says = (say(state, plan, "greeting", brand=plan.brand), about)
    return replace(question(replace(state, stage=Stage.RETURNING), says), facts=facts)


def question(state: CallState, says: tuple[Say, ...]) -> Step:
    """The question about the earlier call, in given words."""
    return Step(replace(state, last_said=says), (Ask(says, "returning", state.language, speech=True),))


def answer(state: CallState, event: Pressed | Said | Silent, plan: Plan, moment: Moment) -> Step:
    """1 or yes: the old place. Anything else: the menu as always."""
    key = event.keys.strip()[:1] if isinstance(event, Pressed) else ""
    said = event.words if isinstance(event, Said) else ""
    if key == "1" or says_yes(said):
        return joining.rejoin(state, plan, moment)
    if key == "*" or wants_repeat(said):
        return question(state, state.last_said)
    if key == "0" or wants_agent(said) or names_agent(said) or spoken_key(said) == "0":
        return joining.ask_for_agent(state, plan, moment, "key" if key else "speech")
    return menu.ask(state, plan, invite=True)
