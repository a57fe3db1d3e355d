"""The names of everything that can happen, and the value that says it happened."""

from typing import Any

from ivr.call.values import Value

#: name -> what it means exactly. docs/vocabulary.md is made from this table; a test plays each in a story.
FACTS: dict[str, str] = {
    "call_started": "a call came in; data: caller kind, whether the caller is returning",
    "language_chosen": "the caller chose a language other than the plan's first",
    "menu_chosen": "a choice was taken; data: choice id, by key or speech",
    "not_understood": "a key or words fitted no choice",
    "no_answer": "a menu question ended in silence",
    "agent_asked": "0 or 'agent': the queue without more questions",
    "described": "the caller said in words what is wrong; the transcript is kept apart, sealed, 30 days",
    "match_found": "the finder allows an article; data: article, score, margin, logit of the gate, how",
    "match_refused": "the finder kept silent; data: reason, score and logit of the best article",
    "held": "the caller joined the queue; data: queue, leaf, path",
    "announced": "position or wait was said; data: position, low_min, high_min",
    "eligible": "an offer could be made now",
    "assigned": "the experiment's side was drawn at that instant; data: arm, probability, bucket",
    "offered": "the offer was played to the end of its choice line, or answered; data: article, wording",
    "offer_cut": "hung up or answered before the choice line ended",
    "offer_refused": "no offer; data: reason (once each per call)",
    "accepted": "a clear yes to a text; data: key, by key or speech, ms since the prompt, plan version, language",
    "declined": "a clear no, by key or speech",
    "no_input": "the offer was followed by silence",
    "heard": "the short version was played to its end",
    "number_typed": "a caller who cannot be texted typed and confirmed a mobile number",
    "number_refused": "a typed number was unusable; data: reason",
    "text_refused": "a consented text could not be queued; data: reason (opted out, repeat, a budget ...)",
    "text_queued": "the text's row and its job are committed; data: text_id, segments",
    "sent": "the carrier accepted the text; data: text_id, message_sid",
    "unknown": "the carrier may or may not have taken the text; data: text_id",
    "send_failed": "the carrier refused the text; data: text_id, code",
    "text_expired": "too late to be of use, not sent; data: text_id",
    "delivered": "the carrier's receipt says delivered",
    "undelivered": "the carrier's receipt says undelivered or failed; data: code",
    "clicked": "first visit by a likely human; data: text_id, how (tap | visible)",
    "link_scanned": "a machine fetched the link; data: why",
    "community_visited": "tapped through to the community or the source",
    "said_solved": "a reply or a tap said it solved the problem",
    "said_not": "a reply or a tap said it did not",
    "steps_sent": "the steps went out by text on request (reply 3); data: segments",
    "replied": "an inbound text; data: kind, segments of our answer",
    "question_answered": "an inbound text was searched like a transcript; data: article or reason",
    "opted_out": "STOP in any form: no text ever again to that number",
    "opted_in": "START",
    "follow_up_queued": "'did it help?' is due later",
    "rejoined": "came back within 24 h and asked for the old place",
    "agent_connected": "a person answered: never a saving; data: queue, waited_s",
    "agent_ended": "the conversation with the agent ended",
    "incident_told": "the caller was told of an incident; data: incident, where (leaf | hold | closed)",
    "news_asked": "key 1 for an incident's news by text; data: incident, ms since the question, plan version, language",
    "news_queued": "the row of a text with an incident's news and its job are committed; data: text_id, segments",
    "hung_up_in_queue": "the caller hung up in the queue; data: waited_s",
    "left_by_choice": "the call left the queue by our <Leave> (maximum hold, or the queue was switched off)",
    "redirected": "REST took the call out of the queue",
    "queue_full": "the queue took no more callers",
    "queue_failed": "the queue let go of the call by an error or an unknown result; data: result",
    "closed": "nobody could answer; data: why (hours | holiday | no_agent | queue_full | max_hold)",
    "overflowed": "the call went to the overflow number; data: status once known",
    "call_ended": "the call is over; data: status, duration_s",
}


class Fact(Value, frozen=True):
    """Something that happened, once. `data` is JSON-ready and holds no number and no transcript.

    Raises ValueError for a name that is not in FACTS.
    """

    name: str
    data: dict[str, Any] = {}  # noqa: RUF012  (a struct copies it)

    def __post_init__(self) -> None:
        if self.name not in FACTS:
            raise ValueError(f"no such fact: {self.name!r}")
