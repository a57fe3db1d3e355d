"""What the carrier keeps of calls, and deletes when it is told to: by the same library as the service asks it with."""

import pytest
from twilio.base.exceptions import TwilioRestException

from ivr.carrier.client import build_client
from ivr.carrier.erasing import Deleted, delete_records
from ivr.phone.server import rest_app, running
from tests.phone.tiny import ACCOUNT, CALLER, TOKEN, carrier


def test_a_callers_calls_and_recordings_are_deleted_and_those_of_others_stay() -> None:
    phone, _ = carrier({"/voice/incoming": "<Say>Hello</Say>"})
    other = "+12125550187"
    line = phone.main.number
    calls = [phone.call(number) for number in (CALLER, other)]
    for call in calls:
        phone.hang_up(call)
        call.recordings.append("RE" + call.sid[2:])
    going = phone.call("+13105550112")
    with running(rest_app(phone)) as base:
        client = build_client(account_sid=ACCOUNT, username=ACCOUNT, password=TOKEN, base_url=base)
        wanted = {"message_sids": ["SM" + "0" * 32], "call_sids": [calls[0].sid]}
        assert delete_records(client, CALLER, [line], **wanted) == Deleted(calls=1, recordings=1)
        assert delete_records(client, CALLER, [line], **wanted) == Deleted()
        assert {one.sid for one in client.calls.list()} == {calls[1].sid, going.sid}
        assert [one.sid for one in client.recordings.list(call_sid=calls[1].sid)] == calls[1].recordings
        with pytest.raises(TwilioRestException):
            client.calls(going.sid).delete()  # not while it goes on
    assert calls[0].sid in phone.calls  # the ledger of the stand-in keeps what there was
