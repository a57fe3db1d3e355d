"""Signed requests that somebody kept: nothing in a signature says when it was made (S4)."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from ivr.carrier.signature import HEADER, sign
from ivr.closing import close_lost_calls
from ivr.jobs.erase_old import erase_old
from ivr.jobs.worker import drain
from ivr.live import Recent
from ivr.wiring import Wiring
from tests.ivr.web.conftest import CALLED, CALLER, Carrier, Clock
from tests.ivr.web.test_voice import action, verbs

Sent = tuple[str, Mapping[str, str], Mapping[str, str]]


class Eavesdropper(Carrier):
    """Keeps every request with its signature, and the token the carrier marks repeats with."""

    def __init__(self, carrier: Carrier) -> None:
        super().__init__(carrier.client, carrier.settings)
        self.kept: list[Sent] = []

    def post(
        self,
        path: str,
        form: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> TestResponse:
        named = {"I-Twilio-Idempotency-Token": f"one-{len(self.kept)}", **(headers or {})}
        self.kept.append((path, dict(form or {}), named))
        return super().post(path, form, headers=named, token=token)

    def again(self) -> list[TestResponse]:
        """Everything once more, to the letter."""
        return [super(Eavesdropper, self).post(path, form, headers=headers) for path, form, headers in self.kept]


@pytest.fixture
def kept(carrier: Carrier, clock: Clock) -> Eavesdropper:
    """A whole call with a yes and a typed reply, as somebody on the way saw it."""
    ear = Eavesdropper(carrier)
    answer = ear.call("/voice/incoming", CallStatus="ringing")
    answer = ear.call(action(answer), Digits="3")
    answer = ear.call(action(answer), Digits="1")
    leaves = action(answer)
    clock.on(40)
    answer = ear.call("/voice/hold", QueueTime="40", QueuePosition="5")
    clock.on(12)
    assert verbs(ear.call(action(answer), Digits="1"))
    clock.on(20)
    ear.call(leaves, QueueResult="hangup", QueueTime="72")
    ear.call("/voice/status", CallStatus="completed", CallDuration="80")
    ear.post("/sms/incoming", {"MessageSid": "SM" + "b" * 32, "From": CALLER, "To": CALLED, "Body": "1"})
    return ear


def rows(wiring: Wiring) -> dict[str, int]:
    """How much there is of everything that a request could make more of."""
    tables = ("calls", "facts", "texts", "inbound_texts", "optouts", "numbers", "transcripts", "procrastinate_jobs")
    with wiring.pool.connection() as conn:
        found = [conn.execute(f"SELECT count(*) FROM {table}").fetchone() for table in tables]  # of this list alone
    return {table: row[0] for table, row in zip(tables, found, strict=True) if row}


@pytest.mark.parametrize("after", [timedelta(days=1), timedelta(days=31)], ids=["a day", "all forgotten"])
def test_a_call_replayed_later_changes_nothing(
    kept: Eavesdropper, wiring: Wiring, clock: Clock, after: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "sender", None)  # nothing may be sent any more
    clock.on(after / timedelta(seconds=1))
    drain(wiring)  # what was queued is too late by now
    close_lost_calls(wiring)
    erase_old(wiring)
    wiring.recent = Recent()  # another process, or the same one restarted
    before = rows(wiring)
    assert before["calls"] == before["texts"] == before["inbound_texts"] == 1
    for _ in range(2):
        for answer in kept.again():
            assert answer.status_code in (200, 204)
    assert rows(wiring) == before
    drain(wiring)
    assert rows(wiring) == before


def test_what_was_kept_fits_no_other_address_caller_or_answer(kept: Eavesdropper, wiring: Wiring) -> None:
    """The signature is over address and form: it cannot be bent."""
    before, secret = rows(wiring), kept.settings.twilio_auth_token[0].get_secret_value()
    for path, form, _ in kept.kept:
        sent = {**form, "AccountSid": kept.settings.twilio_account_sid}
        signed = {HEADER: sign(kept.settings.public_base_url + path, sent, secret)}
        for change in ({"From": "+12025550155"}, {"CallSid": "CA" + "9" * 32}, {"Digits": "2"}, {"Body": "3"}):
            assert kept.client.post(path, data=sent | change, headers=signed).status_code == 403
        assert kept.client.post(f"{path}{'&' if '?' in path else '?'}x=1", data=sent, headers=signed).status_code == 403
    assert rows(wiring) == before
