"""Contacts by other channels: who reached out to us again by e-mail, chat, in a shop. docs/ledger.md says what for."""

from typing import Annotated

from psycopg import Connection
from pydantic import Field

from ivr.contact_import import BATCH, LONGEST_CHANNEL, MOST_PARKED, Feed, import_contacts
from ivr.jobs.settle_ledger import zone_of
from ivr.web.api.guards import caller, wiring
from ivr.web.api.operations import Group
from ivr.web.api.values import Given, Told
from models import contacts as rows

contacts = Group("contacts")

_FIELD = Field(None, max_length=1000)
_VISIBLE = r"^[^\x00-\x1f]*[^\x00-\x20][^\x00-\x1f]*$"


class ContactGiven(Given):
    """Somebody reached out: when, and one of number, customer and key. With a number and a customer both are one person
    from now on. Numbers and ids are kept as keyed hashes only.
    """

    at: str | None = _FIELD
    number: str | None = _FIELD
    customer: str | None = _FIELD
    key: str | None = _FIELD
    topic: str | None = _FIELD


class FeedGiven(Given):
    """A part of a channel's contacts. Sent again, it changes nothing but the age of the feed; an empty one says that
    there were none.
    """

    channel: Annotated[
        str, Field(pattern=_VISIBLE, max_length=LONGEST_CHANNEL, description="its name, always the same: e-mail")
    ]
    contacts: Annotated[list[ContactGiven], Field(max_length=BATCH)]


class ParkedTold(Told):
    """A contact that was not taken. `line` is its place in the list, from 1."""

    line: int
    reason: str


class ImportTold(Told):
    """How it went: so many were new, so many parked; what is neither was known already."""

    id: int
    rows: int
    fresh: int
    parked: list[ParkedTold]


@contacts.operation("POST", "/v1/contacts", scope="finance", body=FeedGiven, answer=ImportTold)
def import_(conn: Connection, body: FeedGiven) -> ImportTold:
    """Tell who reached out by another channel; savings of who came back are taken back."""
    given = ((place, one.model_dump()) for place, one in enumerate(body.contacts, 1))
    feed = Feed(body.channel.strip(), "api", caller().who)
    done = import_contacts(wiring(), conn, feed, given, zone_of(wiring(), conn))
    wrong = rows.parked(conn, done.id, MOST_PARKED)
    return ImportTold(
        id=done.id, rows=done.rows, fresh=done.fresh, parked=[ParkedTold.model_validate(one) for one in wrong]
    )
