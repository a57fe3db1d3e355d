"""Deleting what the carrier itself keeps of a number: its texts, its calls and what was recorded of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import requests
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client

from ivr.carrier.client import CarrierBusy
from ivr.carrier.numbers import CarrierSays

GONE = 404


@dataclass(frozen=True)
class Deleted:
    """How many of each there were and are no more."""

    texts: int = 0
    calls: int = 0
    recordings: int = 0


def delete_records(
    client: Client, number: str, own: Iterable[str], *, message_sids: Iterable[str], call_sids: Iterable[str]
) -> Deleted:
    """Delete what the carrier has of `number`: what we know by its id, and what its lists show between the number and
    the company's `own` ones (an answer to a text has an id that we never hear of). Other records of the account stay.

    One that is gone already counts as none. Raises CarrierSays at the first that cannot be deleted; all may be tried
    again.
    """
    try:
        messages, calls = set(message_sids), set(call_sids)
        for ours in own:
            messages |= {str(one.sid) for one in client.messages.list(to=number, from_=ours)}
            messages |= {str(one.sid) for one in client.messages.list(to=ours, from_=number)}
            calls |= {str(one.sid) for one in client.calls.list(to=ours, from_=number)}
        # a call passed on to another number has a leg of its own, which shows the caller's number there
        calls |= {str(leg.sid) for sid in calls for leg in client.calls.list(parent_call_sid=sid)}
        recordings = {str(one.sid) for sid in calls for one in client.recordings.list(call_sid=sid)}
        return Deleted(
            recordings=_all(recordings, lambda sid: client.recordings(sid).delete()),
            texts=_all(messages, lambda sid: client.messages(sid).delete()),
            calls=_all(calls, lambda sid: client.calls(sid).delete()),
        )
    except TwilioRestException as answer:
        raise CarrierSays(f"the carrier refuses to delete a record (status {answer.status})") from answer
    except (CarrierBusy, TwilioException, requests.RequestException, ValueError, KeyError) as failure:
        raise CarrierSays(f"the carrier cannot be asked ({type(failure).__name__})") from failure


def _all(sids: Iterable[str], delete: Callable[[str], bool]) -> int:
    return sum(_was_there(delete, sid) for sid in sorted(sids))


def _was_there(delete: Callable[[str], bool], sid: str) -> bool:
    try:
        return delete(sid)
    except TwilioRestException as answer:
        if answer.status == GONE:
            return False
        raise
