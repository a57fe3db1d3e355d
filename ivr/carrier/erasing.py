"""Deleting the carrier's own records of texts."""

from collections.abc import Iterable

import requests
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client

from ivr.carrier.client import CarrierBusy
from ivr.carrier.numbers import CarrierSays

GONE = 404


def delete_messages(client: Client, message_sids: Iterable[str]) -> int:
    """Delete these; how many there were. One that is gone already counts as none. Raises CarrierSays at the first that
    cannot be deleted; all may be tried again."""
    deleted = 0
    for sid in message_sids:
        try:
            deleted += bool(client.messages(sid).delete())
        except TwilioRestException as answer:
            if answer.status != GONE:
                raise CarrierSays(f"the carrier refuses to delete a text (status {answer.status})") from answer
        except (CarrierBusy, TwilioException, requests.RequestException) as failure:
            raise CarrierSays(f"the carrier cannot be asked ({type(failure).__name__})") from failure
    return deleted
