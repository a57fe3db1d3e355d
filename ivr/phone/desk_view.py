"""What the page shows, as plain values."""

from typing import Any

from ivr.phone.call import Call
from ivr.phone.engine import Carrier


def view(carrier: Carrier, call_sid: str, handset: str, after: int) -> dict[str, Any]:
    """Everything the page polls; of what was heard, the lines from `after` on."""
    call = carrier.calls.get(call_sid)
    return {
        "call": _call(carrier, call) if call else None,
        "heard": _heard(call, max(after, 0)) if call else [],
        "cut": [at for at, line in enumerate(call.heard) if line.cut_at is not None] if call else [],
        "texts": _texts(carrier, handset),
        "queues": [_queue(carrier, name, call) for name in list(carrier.queues)],
        "crowd": {"ahead": carrier.crowd.ahead, "every_s": carrier.crowd.every_s or 0},
        "warnings": [{"code": one.code, "text": one.text} for one in carrier.warnings[-5:]],
    }


def _call(carrier: Carrier, call: Call) -> dict[str, Any]:
    member, queue = call.member, carrier.queues.get(call.joined_queue)
    held = member is not None and queue is not None
    seconds = ((call.ended_at or carrier.now) - call.started_at).total_seconds()
    agent = call.partner.sid if call.partner else None
    return {
        "sid": call.sid,
        "status": call.status,
        "over": call.over,
        "seconds": int(seconds),
        "arm": call.arm,
        "listens": sorted(call.listens),
        "queue": call.joined_queue if held else None,
        "position": queue.position(member) if queue and member else None,
        "waited_s": member.waited_s(carrier.now) if member else None,
        "agent": agent,
        "other": agent is not None or call.dialled_out,
        "agent_url": f"{carrier.service_url}/agent?call={agent}" if agent else None,
    }


def _heard(call: Call, after: int) -> list[dict[str, Any]]:
    return [
        {
            "i": after + at,
            "t": line.t,
            "kind": line.kind,
            "text": line.text,
            "language": line.language,
            "seconds": line.seconds,
        }
        for at, line in enumerate(call.heard[after:])
    ]


def _texts(carrier: Carrier, number: str) -> list[dict[str, Any]]:
    notes = carrier.texts.handsets[number].notes if number in carrier.texts.handsets else []
    return [{"body": note.body, "mine": note.outgoing, "at": note.at.strftime("%H:%M")} for note in list(notes)]


def _queue(carrier: Carrier, name: str, call: Call | None) -> dict[str, Any]:
    queue = carrier.queues[name]
    places = [
        {
            "you": call is not None and member.call is call,
            "real": member.call is not None,
            "waited_s": member.waited_s(carrier.now),
        }
        for member in list(queue.members)
    ]
    return {"name": name, "places": places}
