"""The REST side as Twilio answers: Messages, Calls, Recordings, Queues, IncomingPhoneNumbers, Lookup, Pricing."""

import base64
import binascii
import hmac
import time
from collections.abc import Callable
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request

from ivr.phone import rest_json as shape
from ivr.phone.call import FINAL, Call, Number, Request
from ivr.phone.engine import Carrier
from ivr.phone.messages import Message, Refused
from ivr.phone.queueing import Member, Queue

LONGEST_TWIML = 4000
Answered = Response | tuple[Response, int] | tuple[str, int]


def rest(carrier: Carrier, api_keys: dict[str, str], sleep: Callable[[float], None] = time.sleep) -> Blueprint:
    """The blueprint of one carrier. `api_keys`: secret by key id, beside the account's own token."""
    pages = Blueprint("rest", __name__)
    account = f"/2010-04-01/Accounts/{carrier.account_sid}"

    @pages.before_request
    def admit() -> None:
        if carrier.faults.latency_s:
            sleep(carrier.faults.latency_s)
        if not _known(request.headers.get("Authorization", ""), carrier, api_keys):
            raise Refused(401, 20003)

    @pages.errorhandler(Refused)
    def refuse(problem: Refused) -> tuple[Response, int]:
        more = f"https://www.twilio.com/docs/errors/{problem.code}"
        return jsonify(
            code=problem.code, message=problem.message, more_info=more, status=problem.status
        ), problem.status

    _account(pages, account, carrier)
    _messages(pages, account, carrier, sleep)
    _calls(pages, account, carrier)
    _queues(pages, account, carrier)
    _numbers(pages, account, carrier)
    _products(pages, carrier)
    return pages


def _known(header: str, carrier: Carrier, api_keys: dict[str, str]) -> bool:
    kind, _, value = header.partition(" ")
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    expected = carrier.auth_token if user == carrier.account_sid else api_keys.get(user)
    return (
        kind.lower() == "basic" and expected is not None and hmac.compare_digest(password.encode(), expected.encode())
    )


def _account(pages: Blueprint, account: str, carrier: Carrier) -> None:
    @pages.get(account + ".json")
    def read_account() -> Response:
        return jsonify(
            sid=carrier.account_sid,
            friendly_name="Test phone",
            status="active",
            type="Full",
            uri=account + ".json",
        )


def _messages(pages: Blueprint, account: str, carrier: Carrier, sleep: Callable[[float], None]) -> None:
    def found(sid: str) -> Message:
        everything = [*carrier.messages, *carrier.texts.inbound]
        message = next((one for one in everything if one.sid == sid and not one.deleted), None)
        if message is None:
            raise Refused(404, 20404)
        return message

    @pages.post(account + "/Messages.json")
    def create() -> Answered:
        faults = carrier.faults
        if faults.take("refusals"):
            status = faults.http_status
            raise Refused(status, 20429 if status == 429 else 20500, "" if status == 429 else "Internal failure")
        message = carrier.texts.create(request.form.to_dict())
        if faults.take("accept_then_time_out"):
            sleep(faults.silence_s)
        if faults.take("accept_then_500"):
            raise Refused(500, 20500, "Internal failure")
        return jsonify(shape.message(message, carrier.account_sid, fresh=True)), 201

    @pages.get(account + "/Messages.json")
    def listing() -> Response:
        if carrier.faults.take("list_failures"):
            raise Refused(503, 20503, "Service unavailable")
        rows = [
            one
            for one in (*carrier.messages, *carrier.texts.inbound)
            if (carrier.now - one.created_at).total_seconds() >= carrier.faults.list_lag_s and not one.deleted
        ]
        rows = [one for one in rows if _matches(one, request.args)]
        rows.sort(key=lambda one: one.created_at, reverse=True)
        return _page(account + "/Messages.json", "messages", [shape.message(one, carrier.account_sid) for one in rows])

    @pages.get(account + "/Messages/<sid>.json")
    def read(sid: str) -> Response:
        if carrier.faults.take("lookup_failures"):
            raise Refused(503, 20503, "Service unavailable")
        return jsonify(shape.message(found(sid), carrier.account_sid))

    @pages.post(account + "/Messages/<sid>.json")
    def update(sid: str) -> Response:
        message = found(sid)
        if request.form.get("Body") == "":
            message.body = ""
        return jsonify(shape.message(message, carrier.account_sid))

    @pages.delete(account + "/Messages/<sid>.json")
    def delete(sid: str) -> Answered:
        found(sid).deleted = True
        return "", 204


def _matches(message: Message, wish: Any) -> bool:
    created = message.created_at
    for name, value in wish.items():
        if name in ("To", "From") and value != (message.to if name == "To" else message.from_):
            return False
        if name.startswith("DateSent"):
            whole = len(value) == 10
            day: date = created.date() if whole else created
            limit: date = date.fromisoformat(value) if whole else _instant(value)
            if (
                (name == "DateSent" and day != limit)
                or (name == "DateSent>" and day < limit)
                or (name == "DateSent<" and day > limit)
            ):
                return False
    return True


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return parsedate_to_datetime(text)


def _page(path: str, name: str, rows: list[dict[str, Any]]) -> Response:
    """One page of a 2010-04-01 list, with the links to its neighbours."""
    size = min(max(request.args.get("PageSize", 50, int), 1), 1000)
    number = max(request.args.get("Page", 0, int), 0)
    part = rows[number * size : (number + 1) * size]
    following = f"{path}?PageSize={size}&Page={number + 1}" if (number + 1) * size < len(rows) else None
    return jsonify(
        {
            name: part,
            "page": number,
            "page_size": size,
            "start": number * size,
            "end": number * size + max(len(part) - 1, 0),
            "uri": f"{path}?PageSize={size}&Page={number}",
            "first_page_uri": f"{path}?PageSize={size}&Page=0",
            "next_page_uri": following,
            "previous_page_uri": f"{path}?PageSize={size}&Page={number - 1}" if number else None,
        }
    )


def _request_of(form: Any) -> Request:
    if form.get("Twiml"):
        if len(form["Twiml"]) > LONGEST_TWIML:
            raise Refused(400, 32018, "Twiml is longer than 4000 characters")
        return Request("", twiml=form["Twiml"])
    url = form.get("Url", "")
    if not url.startswith(("http://", "https://")):
        raise Refused(400, 21205, "Url is not a valid URL")
    return Request(url, form.get("Method", "POST"))


def _calls(pages: Blueprint, account: str, carrier: Carrier) -> None:
    def found(sid: str) -> Call:
        if sid not in carrier.calls or carrier.calls[sid].deleted:
            raise Refused(404, 20404)
        return carrier.calls[sid]

    @pages.get(account + "/Calls.json")
    def list_calls() -> Response:
        wish = request.args
        rows = [
            one
            for one in carrier.calls.values()
            if not one.deleted and "ParentCallSid" not in wish  # a number dialled is no call of its own here
            and wish.get("From", one.from_) == one.from_ and wish.get("To", one.to) == one.to
        ]  # fmt: skip
        return _page(account + "/Calls.json", "calls", [shape.call(one, carrier.now) for one in rows])

    @pages.delete(account + "/Calls/<sid>.json")
    def delete_call(sid: str) -> Answered:
        call = found(sid)
        if not call.over:
            raise Refused(400, 21220, "Call is in-progress. Cannot delete.")
        call.deleted = True
        return "", 204

    @pages.get(account + "/Recordings.json")
    def list_recordings() -> Response:
        of = request.args.get("CallSid", "")
        rows = [{"sid": one, "call_sid": of} for one in (carrier.calls[of].recordings if of in carrier.calls else ())]
        return _page(account + "/Recordings.json", "recordings", rows)

    @pages.delete(account + "/Recordings/<sid>.json")
    def delete_recording(sid: str) -> Answered:
        of = next((one for one in carrier.calls.values() if sid in one.recordings), None)
        if of is None:
            raise Refused(404, 20404)
        of.recordings.remove(sid)
        return "", 204

    @pages.get(account + "/Calls/<sid>.json")
    def read_call(sid: str) -> Response:
        return jsonify(shape.call(found(sid), carrier.now))

    @pages.post(account + "/Calls/<sid>.json")
    def update_call(sid: str) -> Response:
        call, status = found(sid), request.form.get("Status", "")
        onward = None if status in FINAL else _request_of(request.form)
        if not carrier.update_call(call, onward):
            raise Refused(400, 21220, "Call is not in-progress. Cannot redirect.")
        return jsonify(shape.call(call, carrier.now))


def _queues(pages: Blueprint, account: str, carrier: Carrier) -> None:
    def found(sid: str) -> Queue:
        queue = next((one for one in carrier.queues.values() if one.sid == sid), None)
        if queue is None:
            raise Refused(404, 20404)
        return queue

    def member_of(queue: Queue, who: str) -> Member:
        real = [one for one in queue.members if who == "Front" or (one.call is not None and one.call.sid == who)]
        if not real:
            raise Refused(404, 20404)
        return real[0]

    def shown(queue: Queue) -> Response:
        return jsonify(shape.queue(queue, carrier.account_sid, carrier.now))

    @pages.get(account + "/Queues.json")
    def queues() -> Response:
        rows = [shape.queue(one, carrier.account_sid, carrier.now) for one in carrier.queues.values()]
        return _page(account + "/Queues.json", "queues", rows)

    @pages.post(account + "/Queues.json")
    def create_queue() -> Answered:
        name = request.form.get("FriendlyName", "")
        if not 0 < len(name) <= 64:
            raise Refused(400, 22001, "FriendlyName is required, at most 64 letters")
        if name in carrier.queues:
            raise Refused(400, 22003, "A queue of that name exists")
        queue = carrier.queue_of(name)
        queue.max_size = request.form.get("MaxSize", 1000, int)
        return shown(queue), 201

    @pages.get(account + "/Queues/<sid>.json")
    def read_queue(sid: str) -> Response:
        return shown(found(sid))

    @pages.post(account + "/Queues/<sid>.json")
    def update_queue(sid: str) -> Response:
        queue = found(sid)
        queue.max_size = min(request.form.get("MaxSize", queue.max_size, int), 5000)
        return shown(queue)

    @pages.get(account + "/Queues/<sid>/Members.json")
    def members(sid: str) -> Response:
        queue = found(sid)
        rows = [shape.member(one, queue, carrier.account_sid, carrier.now) for one in queue.members]
        return _page(f"{account}/Queues/{sid}/Members.json", "queue_members", rows)

    @pages.get(account + "/Queues/<sid>/Members/<who>.json")
    def read_member(sid: str, who: str) -> Response:
        queue = found(sid)
        return jsonify(shape.member(member_of(queue, who), queue, carrier.account_sid, carrier.now))

    @pages.post(account + "/Queues/<sid>/Members/<who>.json")
    def dequeue(sid: str, who: str) -> Response:
        queue = found(sid)
        member = member_of(queue, who)
        onward, body = (
            _request_of(request.form),
            shape.member(member, queue, carrier.account_sid, carrier.now),
        )
        if member.call is None:
            queue.drop(member)
        elif not carrier.update_call(member.call, onward):
            raise Refused(400, 21220, "Call is not in-progress. Cannot redirect.")
        return jsonify(body)


_URLS = {
    "VoiceUrl": "voice_url",
    "VoiceMethod": "voice_method",
    "VoiceFallbackUrl": "voice_fallback_url",
    "VoiceFallbackMethod": "voice_fallback_method",
    "StatusCallback": "status_callback",
    "StatusCallbackMethod": "status_callback_method",
    "SmsUrl": "sms_url",
    "SmsMethod": "sms_method",
    "SmsFallbackUrl": "sms_fallback_url",
    "SmsFallbackMethod": "sms_fallback_method",
    "FriendlyName": "friendly_name",
}


def _numbers(pages: Blueprint, account: str, carrier: Carrier) -> None:
    def found(sid: str) -> Number:
        line = next((one for one in carrier.lines.values() if one.sid == sid), None)
        if line is None:
            raise Refused(404, 20404)
        return line

    @pages.get(account + "/IncomingPhoneNumbers.json")
    def lines() -> Response:
        wish = request.args.get("PhoneNumber", "")
        rows = [shape.number(one, carrier.account_sid) for one in carrier.lines.values() if wish in one.number]
        return _page(account + "/IncomingPhoneNumbers.json", "incoming_phone_numbers", rows)

    @pages.get(account + "/IncomingPhoneNumbers/<sid>.json")
    def read_line(sid: str) -> Response:
        return jsonify(shape.number(found(sid), carrier.account_sid))

    @pages.post(account + "/IncomingPhoneNumbers/<sid>.json")
    def update_line(sid: str) -> Response:
        line = found(sid)
        for name, attribute in _URLS.items():
            if name in request.form:
                setattr(line, attribute, request.form[name])
        return jsonify(shape.number(line, carrier.account_sid))


def _products(pages: Blueprint, carrier: Carrier) -> None:
    @pages.get("/v2/PhoneNumbers/<number>")
    def lookup(number: str) -> Response:
        if carrier.faults.take("lookup_failures"):
            raise Refused(503, 20503, "Service unavailable")
        line_type = carrier.texts.handset(number).line_type
        return jsonify(shape.lookup(number, line_type, "line_type_intelligence" in request.args.get("Fields", "")))

    @pages.get("/v1/Messaging/Countries/<country>")
    def messaging_prices(country: str) -> Response:
        return jsonify(shape.messaging_prices(country))

    @pages.get("/v1/Voice/Countries/<country>")
    @pages.get("/v2/Voice/Countries/<country>")
    def voice_prices(country: str) -> Response:
        return jsonify(shape.voice_prices(country))
