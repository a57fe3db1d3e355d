"""What else a fact says, field by field, in words for people."""

from collections.abc import Mapping

from ivr.console.errors import Sentence, sentence

#: by the name of a field, as in the data of `ivr.call.facts.FACTS`
DETAILS: Mapping[str, Sentence] = {
    "after": sentence("After hearing"),
    "arm": sentence("Side"),
    "article": sentence("Article"),
    "bucket": sentence("Number drawn, of 10,000"),
    "by": sentence("With"),
    "caller": sentence("Kind of number"),
    "choice": sentence("Choice"),
    "code": sentence("Code of the carrier"),
    "confidence": sentence("Surely understood, 0 to 1"),
    "duration_s": sentence("Lasted, in seconds"),
    "experiment": sentence("Experiment"),
    "forced": sentence("Not drawn, but set"),
    "further": sentence("Further articles"),
    "high_min": sentence("At most, in minutes"),
    "how": sentence("How"),
    "incident": sentence("Incident"),
    "key": sentence("Key"),
    "kind": sentence("Kind"),
    "language": sentence("Language"),
    "late": sentence("Told afterwards"),
    "leaf": sentence("Leaf"),
    "logit": sentence("Certainty, as a logit"),
    "low_min": sentence("At least, in minutes"),
    "margin": sentence("Lead over the next"),
    "menu": sentence("Menu"),
    "ms": sentence("Milliseconds since the question"),
    "n": sentence("Which offer"),
    "once": sentence("Once only"),
    "path": sentence("Path"),
    "plan_version": sentence("Menu version"),
    "position": sentence("Place in line"),
    "probability": sentence("Probability"),
    "queue": sentence("Queue"),
    "reason": sentence("Reason"),
    "result": sentence("Result"),
    "returning": sentence("Called before"),
    "score": sentence("Nearness, 0 to 1"),
    "segments": sentence("Segments"),
    "status": sentence("State"),
    "test": sentence("Test call"),
    "to": sentence("Goes to"),
    "tries": sentence("Tries"),
    "try": sentence("Which try"),
    "unit": sentence("Drawn for"),
    "waited_s": sentence("Waited, in seconds"),
    "where": sentence("Where"),
    "why": sentence("Why"),
    "wording": sentence("Sentence"),
    "words": sentence("Words"),
}
#: by field and value, where a value is one of a few codes
VALUES: Mapping[str, Mapping[str, Sentence]] = {
    "arm": {"treat": sentence("hears offers"), "holdout": sentence("hears none")},
    "by": {"key": sentence("key"), "speech": sentence("voice")},
    "how": {
        "words": sentence("by what was said"),
        "path": sentence("by the path alone"),
        "pin": sentence("by a pin"),
        "search": sentence("by the search"),
        "tap": sentence("with a tap"),
        "visible": sentence("was looked at"),
    },
    "unit": {"caller": sentence("the caller"), "call": sentence("this call")},
}

#: what a text is for, and its state, as `models.texts` has them
TEXT_KINDS: Mapping[str, Sentence] = {
    "link": sentence("the link"),
    "follow_up": sentence("“Did it help?”"),
    "reply": sentence("an answer"),
    "status": sentence("news of an incident"),
}
TEXT_STATES: Mapping[str, Sentence] = {
    "queued": sentence("queued"),
    "sending": sentence("is being sent"),
    "sent": sentence("taken by the carrier"),
    "unknown": sentence("perhaps taken by the carrier"),
    "delivered": sentence("arrived at the phone"),
    "undelivered": sentence("not delivered"),
    "failed": sentence("refused by the carrier"),
    "expired": sentence("too late"),
    "canceled": sentence("called off"),
}


def detail(name: str) -> Sentence:
    """What a field holds."""
    return DETAILS.get(name) or Sentence(name)


def value(name: str, held: str) -> Sentence:
    """What it says there."""
    return VALUES.get(name, {}).get(held) or Sentence(held)
