"""The menus: greeting, choices by key and by voice, kind re-asking, and never a dead end."""

from ivr.call import joining
from ivr.call.effects import Step
from ivr.call.events import Pressed, Said, Silent
from ivr.call.facts import Fact
from ivr.call.moment import Moment
from ivr.call.plan import Choice, Menu, Plan
from ivr.call.prompts import Ask, Say
from ivr.call.speech import in_language, say
from ivr.call.state import CallState, Stage
from ivr.call.understand import hints, is_sentence, masked, tokens, understand
from ivr.call.values import replace


def here(state: CallState, plan: Plan) -> Menu:
    """The menu the caller is at; the main one where the plan has no such menu."""
    try:
        found = plan.walk(state.path)
    except KeyError:
        return plan.main
    return found if isinstance(found, Menu) else plan.main


def ask(state: CallState, plan: Plan, *, greet: bool = False, invite: bool = False, kindly: str | None = None) -> Step:
    """The menu's question: `kindly` is the wording said before it when it is asked again."""
    menu = here(state, plan)
    says: list[Say] = [say(state, plan, "greeting", brand=plan.brand)] if greet else []
    if (greet or invite) and menu is plan.main:
        says += [
            Say(one.invite, one.code) for one in plan.languages if one.key and one.invite and one.code != state.language
        ]
    if kindly:
        says.append(say(state, plan, kindly))
    says.append(Say(_choices(state, menu, plan), state.language))
    return question(replace(state, stage=Stage.MENU), plan, tuple(says))


def question(state: CallState, plan: Plan, says: tuple[Say, ...]) -> Step:
    """The menu's question in given words."""
    prompt = Ask(says, "menu", state.language, speech=True, hints=hints(here(state, plan), plan, state.language))
    return Step(replace(state, last_said=says), (prompt,))


def answer(state: CallState, event: Pressed | Said | Silent, plan: Plan, moment: Moment) -> Step:
    """What the caller pressed or said at a menu."""
    menu = here(state, plan)
    if isinstance(event, Said) and tokens(event.words):
        return _heard(state, event, menu, plan, moment)
    if isinstance(event, Pressed) and event.keys.strip():
        return _pressed(state, event.keys.strip()[0], menu, plan, moment, "key")
    return again(state, plan, moment, "no_answer", "no_input")


def again(state: CallState, plan: Plan, moment: Moment, fact: str, kindly: str) -> Step:
    """Asks once more, or gives up kindly: the default queue."""
    state = replace(state, tries=state.tries + 1)
    facts = (Fact(fact, {"menu": here(state, plan).id, "try": state.tries}),)
    if state.tries <= joining.MOST_TRIES:
        return replace(ask(state, plan, kindly=kindly), facts=facts)
    return joining.to_queue(state, plan, moment, leaf=None, facts=facts)


def _choices(state: CallState, menu: Menu, plan: Plan) -> str:
    said = [in_language(menu.intro, state.language)] if menu.intro else []
    said += [
        say(state, plan, "menu_choice", label=in_language(one.label, state.language), key=one.key).words
        for one in menu.choices
    ]
    said.append(say(state, plan, "menu_or_say").words)
    return " ".join(one for one in said if one)


def _heard(state: CallState, event: Said, menu: Menu, plan: Plan, moment: Moment) -> Step:
    meaning = understand(event.words, menu, plan, state.language, top=menu is plan.main)
    if meaning.key is not None:
        return _pressed(state, meaning.key, menu, plan, moment, "speech")
    if meaning.repeat:
        return question(state, plan, state.last_said)
    # What is wrong may be told before it is asked for; a label repeated later does not take its place.
    if is_sentence(event.words) and len(event.words) > len(state.transcript):
        state = replace(state, transcript=masked(event.words), confidence=event.confidence)
    if meaning.agent:
        return joining.ask_for_agent(state, plan, moment, "speech")
    if meaning.choice is not None:
        return _take(state, meaning.choice, plan, moment, "speech")
    if meaning.language is not None:
        return _speak(state, meaning.language, plan, "speech")
    return again(state, plan, moment, "not_understood", "wrong_input")


def _pressed(state: CallState, key: str, menu: Menu, plan: Plan, moment: Moment, by: str) -> Step:
    if key == "*":
        return question(state, plan, state.last_said)
    if key == "0":
        return joining.ask_for_agent(state, plan, moment, by)
    choice = next((one for one in menu.choices if one.key == key), None)
    if choice is not None:
        return _take(state, choice, plan, moment, by)
    language = next((one.code for one in plan.languages if one.key == key), None) if menu is plan.main else None
    if language is not None:
        return _speak(state, language, plan, by)
    return again(state, plan, moment, "not_understood", "wrong_input")


def _take(state: CallState, choice: Choice, plan: Plan, moment: Moment, by: str) -> Step:
    at_main = here(state, plan) is plan.main
    path = (choice.id,) if at_main else (*state.path, choice.id)
    state = replace(state, path=path, tries=0)
    facts = (Fact("menu_chosen", {"choice": choice.id, "by": by, "path": list(path)}),)
    if choice.leaf is None:
        return replace(ask(state, plan), facts=facts)
    return joining.arrive(state, choice.leaf, plan, moment, facts)


def _speak(state: CallState, language: str, plan: Plan, by: str) -> Step:
    facts = (Fact("language_chosen", {"language": language, "by": by}),) if language != state.language else ()
    return replace(ask(replace(state, language=language, tries=0), plan), facts=facts)
