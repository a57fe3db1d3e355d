"""What happens in a call, in words for people."""

from collections.abc import Mapping

from ivr.console import reasons
from ivr.console.errors import Sentence, sentence

#: by fact, as in `ivr.call.facts.FACTS`
FACTS: Mapping[str, Sentence] = {
    "call_started": sentence("A call came in"),
    "language_chosen": sentence("Chose another language"),
    "menu_chosen": sentence("Took a choice of the menu"),
    "not_understood": sentence("Pressed or said what fitted no choice"),
    "no_answer": sentence("Said and pressed nothing"),
    "agent_asked": sentence("Asked for a person"),
    "described": sentence("Said what is wrong"),
    "match_found": sentence("The search found an article"),
    "match_refused": sentence("The search offers nothing"),
    "held": sentence("Joined the queue"),
    "announced": sentence("Heard the place in line"),
    "eligible": sentence("An article could be offered now"),
    "assigned": sentence("The experiment drew a side"),
    "offered": sentence("Heard the offer to its end"),
    "offer_cut": sentence("The offer was not heard to its end"),
    "offer_refused": sentence("No offer was made"),
    "accepted": sentence("Wanted the text"),
    "declined": sentence("Did not want it"),
    "no_input": sentence("Did not answer the offer"),
    "heard": sentence("Heard the short version to its end"),
    "number_typed": sentence("Typed a number for the text"),
    "number_refused": sentence("The typed number cannot be used"),
    "text_refused": sentence("No text could go out"),
    "text_queued": sentence("A text was queued"),
    "sent": sentence("The carrier took the text"),
    "unknown": sentence("The carrier may have taken the text"),
    "send_failed": sentence("The carrier refused the text"),
    "text_expired": sentence("It was too late for the text"),
    "delivered": sentence("The text was delivered"),
    "undelivered": sentence("The text was not delivered"),
    "clicked": sentence("Opened the link"),
    "link_scanned": sentence("A machine opened the link"),
    "community_visited": sentence("Went on to the community"),
    "said_solved": sentence("Said that it solved the problem"),
    "said_not": sentence("Said that it did not help"),
    "steps_sent": sentence("Got the steps by text"),
    "replied": sentence("Replied by text"),
    "question_answered": sentence("Asked something by text"),
    "opted_out": sentence("Wants no texts any more"),
    "opted_in": sentence("Wants texts again"),
    "follow_up_queued": sentence("“Did it help?” will be asked later"),
    "rejoined": sentence("Came back to the old place"),
    "agent_connected": sentence("A person answered"),
    "agent_ended": sentence("The talk with the person ended"),
    "incident_told": sentence("Heard of an incident"),
    "news_asked": sentence("Wanted news of the incident by text"),
    "news_queued": sentence("A text with the news was queued"),
    "hung_up_in_queue": sentence("Hung up while holding"),
    "left_by_choice": sentence("The wait was ended by us"),
    "redirected": sentence("Was taken out of the queue"),
    "queue_full": sentence("The queue was full"),
    "queue_failed": sentence("The queue failed"),
    "closed": sentence("Nobody could answer"),
    "overflowed": sentence("Went to the overflow number"),
    "call_ended": sentence("The call was over"),
}
#: by kind, as in `ivr.ledger.outcomes.Kind`
OUTCOMES: Mapping[str, Sentence] = {
    "under_way": sentence("Not over yet"),
    "none": sentence("Nothing to book"),
    "abandoned": sentence("Hung up without a text"),
    "short_abandoned": sentence("Hung up at once"),
    "unattributed": sentence("Text, not opened"),
    "assisted": sentence("A person helped too"),
    "expired": sentence("Cannot be told"),
    "provisional": sentence("Solved so far"),
    "confirmed_explicit": sentence("Solved, the caller says"),
    "confirmed_inferred": sentence("Solved, nobody came back"),
    "reversed": sentence("Came back"),
    "late_reversal": sentence("Came back later"),
}
#: by reason, as in `ivr.call.offers`
OFFER_REFUSALS: Mapping[str, Sentence] = {
    "stopped": sentence("Offers are stopped by a switch"),
    "incident": sentence("There is an incident"),
    "rejoined": sentence("Came back for the same problem"),
    "no_match": sentence("No article was found"),
    "opted_out": sentence("Wants no texts"),
    "cap": sentence("Enough texts were sent already"),
    "no_number": sentence("There is no number to text"),
    "position": sentence("Too near to the front of the line"),
    "wait_short": sentence("The wait is short"),
    "withdrawn": sentence("The article was withdrawn meanwhile"),
}


def fact(name: str) -> Sentence:
    """What a fact says."""
    return FACTS.get(name) or Sentence(name)


def outcome(kind: str | None) -> Sentence:
    """What became of a call; None: it is not known yet."""
    return OUTCOMES.get(kind or "under_way") or Sentence(str(kind))


def reason(name: str, why: str) -> Sentence:
    """Why, as a fact of that name says it."""
    if name == "match_refused":
        return reasons.refusal(why)
    return OFFER_REFUSALS.get(why) or Sentence(why)
