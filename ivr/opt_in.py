"""What the registration of a sender (10DLC campaign, toll-free verification) asks for."""

from ivr.call.plan import Plan
from ivr.call.wording import words
from ivr.texts import compose

_TITLE = "router light stays red"


def script(plan: Plan, link: str) -> str:
    """How callers opt in, in the words of the plan, with samples. `link` is one as it stands in a text."""

    def say(key: str, **values: str) -> str:
        return words(plan, code, key, **values)

    code, brand = plan.languages[0].code, plan.brand
    who = say("another_customer")
    number = plan.callback_number or "the number they called"
    sample = compose.link_text(plan, code, title=_TITLE, link=link, discreet=False).body
    return f"""\
How people opt in: while on hold for {brand}, a caller hears this offer and presses 1 to get exactly one text
with the link that was offered. No key, no text. Nothing is sent later without a key of its own.

  Spoken offer: {say("offer_opening", who=who, title=_TITLE)} {say("offer_text_or_hear")}
  After key 1:  {say("sending")}
  The text:     {sample}
  STOP:         {say("reply_stop", brand=brand)}
  HELP:         {say("reply_help", brand=brand, number=number)}

Consent on record: call id, time, version of the words heard, key, milliseconds after the offer.
Message type: one-time, informational, at the caller's request. No promotion."""
