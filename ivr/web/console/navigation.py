"""The pages of the console in the order they are listed. One that is not there, or not for this person, is left out."""

from typing import NamedTuple

from flask import current_app, request

from ivr.console.roles import Staff
from ivr.web.console.guards import PUBLIC, least_role


class Entry(NamedTuple):
    """One page: the endpoint that shows it, and what it is called."""

    endpoint: str
    name: str


def _N(text: str) -> str:
    """Marks a name that is put into the page's language where it is shown."""
    return text


ENTRIES = (
    Entry("today.page", _N("Today")),
    Entry("menus.tree", _N("Menus")),
    Entry("mapping.page", _N("Mapping")),
    Entry("trying.page", _N("Try it")),
    Entry("articles.page", _N("Articles")),
    Entry("sources.page", _N("Sources")),
    Entry("reviews.page", _N("Review")),
    Entry("calls.page", _N("Calls")),
    Entry("finance.page", _N("Finance")),
    Entry("voice.page", _N("Voice")),
    Entry("settings.page", _N("Settings")),
    Entry("staff.page", _N("Staff")),
    Entry("tokens.page", _N("API tokens")),
    Entry("audit.page", _N("Audit log")),
)
#: where those go for whom nothing else is
ACCOUNT = Entry("account.page", _N("My account"))


def entries(person: Staff) -> list[Entry]:
    """The pages this person may see."""
    return [entry for entry in ENTRIES if _may(person, entry.endpoint)]


def first(person: Staff) -> str:
    """The endpoint this person begins with."""
    return next(iter([*entries(person), ACCOUNT])).endpoint


def is_here(endpoint: str) -> bool:
    """Whether the request is for this page or one of its group."""
    return request.blueprint == endpoint.partition(".")[0]


def _may(person: Staff, endpoint: str) -> bool:
    if endpoint not in current_app.view_functions:
        return False
    least = least_role(current_app, endpoint)
    return least is not None and least != PUBLIC and person.may(least)
