"""From a leaf to the queue: one sentence about what is wrong, the search, and joining the line."""

from ivr.call import closed, incidents, queueing
from ivr.call.effects import Search, Step
from ivr.call.events import Found, Pressed, Said, Silent
from ivr.call.facts import Fact
from ivr.call.moment import Moment
from ivr.call.plan import Leaf, Plan
from ivr.call.prompts import Ask, Say
from ivr.call.speech import in_language, say
from ivr.call.state import CallState, Stage
from ivr.call.understand import forbidden, masked, spoken_key, tokens, wants_agent, wants_repeat
from ivr.call.values import replace

Facts = tuple[Fact, ...]
MOST_TRIES = 2  # a question is asked again at most twice


def arrive(state: CallState, leaf: Leaf, plan: Plan, moment: Moment, facts: Facts = ()) -> Step:
    """The end of the menu: asks for a sentence, or goes on to the queue."""
    state = replace(state, leaf=leaf.id, tries=0)
    if not leaf.ask:
        return to_queue(state, plan, moment, leaf=leaf, facts=facts)
    state, says, told = incidents.tell(state, moment)
    notice = () if state.notice_given else (say(state, plan, "notice"),)
    says = (*says, *notice, say(state, plan, "describe"))
    step = question(replace(state, stage=Stage.DESCRIBE, notice_given=True), says)
    return replace(step, facts=(*facts, *told))


def question(state: CallState, says: tuple[Say, ...]) -> Step:
    """The request for a sentence, in given words."""
    return Step(replace(state, last_said=says), (Ask(says, "describe", state.language, speech=True),))


def answer(state: CallState, event: Pressed | Said | Silent, plan: Plan, moment: Moment) -> Step:
    """What the caller told us, if anything: silence and other keys go on without."""
    key = event.keys.strip()[:1] if isinstance(event, Pressed) else ""
    said = event.words if isinstance(event, Said) else ""
    if key == "*" or wants_repeat(said):
        return question(state, state.last_said)
    if key == "0" or wants_agent(said) or spoken_key(said) == "0":
        return ask_for_agent(state, plan, moment, "key" if key else "speech")
    facts: Facts = ()
    if isinstance(event, Said) and tokens(said):
        state = replace(state, transcript=masked(said), confidence=event.confidence)
        facts = (Fact("described", {"words": len(said.split()), "confidence": event.confidence}),)
    return to_queue(state, plan, moment, leaf=queueing.leaf_of(state, plan), facts=facts)


def ask_for_agent(state: CallState, plan: Plan, moment: Moment, by: str) -> Step:
    """0 or "agent": the queue of the leaf, the default one without a leaf or where that is closed, and no more
    questions."""
    state = _choose_queue(replace(state, tries=0), queueing.leaf_of(state, plan), plan)
    queue = queueing.queue_of(state, plan)
    if queueing.closed_why(queue, moment) is not None:
        state = replace(state, queue=(queueing.instead_of(queue, plan, moment) or queue).name)
    return _search_first(state, plan, moment, (Fact("agent_asked", {"by": by}),))


def to_queue(state: CallState, plan: Plan, moment: Moment, *, leaf: Leaf | None, facts: Facts = ()) -> Step:
    """Chooses the queue and searches first, where an article may be offered at all."""
    return _search_first(_choose_queue(state, leaf, plan), plan, moment, facts)


def _choose_queue(state: CallState, leaf: Leaf | None, plan: Plan) -> CallState:
    queue = leaf.queue if leaf and leaf.queue in plan.queues else plan.default_queue
    return replace(state, queue=queue, leaf=leaf.id if leaf else None)


def _search_first(state: CallState, plan: Plan, moment: Moment, facts: Facts) -> Step:
    search = search_at(queueing.leaf_of(state, plan), state.path, state.transcript, state.language, plan)
    if isinstance(search, str):
        return _after(facts, found(state, Found((), search, None, None, None), plan, moment))
    return Step(state, facts=facts, search=search)


def search_at(leaf: Leaf | None, path: tuple[str, ...], transcript: str, language: str, plan: Plan) -> Search | str:
    """What is searched for where the menu ends (a leaf, or a path given up), or why nothing is."""
    # Whoever names a forbidden subject, at whatever leaf, is not offered an article either.
    if forbidden(transcript, plan, language) or (leaf is not None and leaf.never_offer):
        return "never_offer"
    labels = plan.labels(path, language)
    if not labels and not transcript:
        return "transcript_too_poor"
    share = plan.offers.wrong_share
    if leaf is None:
        return Search(labels, transcript, language, wrong_share=share)
    pinned = tuple(one for one in leaf.pinned.get(language, ()) if one not in leaf.forbidden)
    return Search(labels, transcript, language, leaf.allowed_tags, pinned, share, leaf.forbidden)


def found(state: CallState, event: Found, plan: Plan, moment: Moment) -> Step:
    """The finder's answer: kept for the hold, which begins here."""
    mine = {card.id: card for card in event.cards if card.language == state.language}
    cards = tuple(mine.values())[:2]
    reason = None if cards else event.reason or ("language" if event.cards else "nothing_near")
    state = replace(state, candidates=cards, no_match=reason, score=event.score, index_version=event.index_version)
    evidence = {"score": event.score, "margin": event.margin, "logit": event.logit, "how": event.how}
    if cards:
        fact = Fact("match_found", {"article": cards[0].id, **evidence, "further": len(cards) - 1})
    else:
        fact = Fact("match_refused", {"reason": reason, "score": event.score, "logit": event.logit})
    return _after((fact,), enter(state, plan, moment))


def rejoin(state: CallState, plan: Plan, moment: Moment) -> Step:
    """Straight to the queue of the earlier call: no menu, no search, no offer."""
    back = state.returning
    known = plan.leaves().get(back.leaf) if back else None
    state = replace(state, rejoined=True, leaf=known[1].id if known else None, path=known[0] if known else ())
    queue = known[1].queue if known and known[1].queue in plan.queues else plan.default_queue
    state = replace(state, queue=queue)
    return _after((Fact("rejoined", {"leaf": state.leaf}),), enter(state, plan, moment, "straight_through"))


def back_in_line(state: CallState, plan: Plan, moment: Moment) -> Step:
    """A call that left the queue and comes in once more: the default queue, and no menu again."""
    return enter(replace(state, queue=plan.default_queue), plan, moment, "to_default_queue")


def enter(state: CallState, plan: Plan, moment: Moment, words: str | None = None) -> Step:
    """Joins the queue, or says that nobody can answer."""
    queue = queueing.queue_of(state, plan)
    why = queueing.closed_why(queue, moment)
    if why is not None:
        return closed.close(state, plan, moment, why)
    if words is None:
        words = "to_default_queue" if state.leaf is None and state.tries > MOST_TRIES else "joining"
    spoken = in_language(queue.spoken, state.language, queue.name)
    state, news, told = incidents.tell(state, moment)
    says = (*news, say(state, plan, words, queue=spoken) if words == "joining" else say(state, plan, words))
    state, fact = queueing.join(replace(state, last_said=says), plan)
    return Step(state, (*says, queueing.prompt(state, plan)), (*told, fact))


def _after(facts: Facts, step: Step) -> Step:
    return replace(step, facts=(*facts, *step.facts))
