"""The pages of the console in the order they are listed. One that is not there, or not for this person, is left out."""

from typing import NamedTuple

from flask import current_app, request

from ivr.console.roles import Staff
from ivr.web.console.guards import PUBLIC, least_role


class Entry(NamedTuple):
    """One page: the endpoint that shows it, and what it is called."""

    endpoint: str
    name: str


def N_(text: str) -> str:
    """Marks a name that is put into the page's language where it is shown."""
    return text


ENTRIES = (
    Entry("today.page", N_("Today")),
    Entry("menus.tree", N_("Menus")),
    Entry("mapping.page", N_("Mapping")),
    Entry("trying.page", N_("Try it")),
    Entry("articles.page", N_("Articles")),
    Entry("sources.page", N_("Sources")),
    Entry("reviews.page", N_("Review")),
    Entry("calls.page", N_("Calls")),
    Entry("finance.page", N_("Finance")),
    Entry("voice.page", N_("Voice")),
    Entry("settings.page", N_("Settings")),
    Entry("staff.page", N_("Staff")),
    Entry("tokens.page", N_("API tokens")),
    Entry("audit.page", N_("Audit log")),
)
#: where those go for whom nothing else is
ACCOUNT = Entry("account.page", N_("My account"))


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
