"""Every sentence a caller can hear or read: its key, its placeholders, and how a template is filled."""

import re
from collections.abc import Mapping

from ivr.call.plan import Plan

#: key -> placeholders the template may use. The plan must have each key in each language.
WORDING: dict[str, frozenset[str]] = {
    # greeting and menu
    "greeting": frozenset({"brand"}),
    "menu_choice": frozenset({"label", "key"}),
    "menu_or_say": frozenset(),
    "no_input": frozenset(),
    "wrong_input": frozenset(),
    "to_default_queue": frozenset(),
    "notice": frozenset(),  # what you say is written down to help you
    "describe": frozenset(),
    "joining": frozenset({"queue"}),
    "returning": frozenset({"topic"}),
    "returning_discreet": frozenset(),
    "straight_through": frozenset(),
    # hold
    "position": frozenset({"position"}),
    "next_in_line": frozenset(),
    "wait_range": frozenset({"low", "high"}),
    "wait_one_minute": frozenset(),
    "wait_passed": frozenset(),
    # the offer
    "offer_opening": frozenset({"who", "title"}),
    "closed_offer_opening": frozenset({"who", "title"}),
    "another_customer": frozenset(),
    "proof_useful": frozenset({"n"}),
    "proof_helped": frozenset({"n"}),
    "offer_text_or_hear": frozenset(),
    "offer_text": frozenset(),
    "offer_hear": frozenset(),
    "follow_up_notice": frozenset(),  # said before the key when follow-ups are on
    "reminder": frozenset({"title"}),
    "declined": frozenset(),
    "sending": frozenset(),
    "arrived": frozenset(),
    "not_arrived_hear": frozenset(),
    "not_arrived": frozenset(),
    "already_sent": frozenset(),
    "cannot_text": frozenset(),  # opted out, or over the cap: no text, the place is kept
    "short_after_text": frozenset(),  # after the short version, key 1 still open
    "short_after": frozenset(),
    "still_holding": frozenset(),
    "article_gone": frozenset(),  # the article was withdrawn since it was offered
    # an incident
    "incident_news": frozenset(),  # asks whether the news should come by text; follows the incident's own message
    "incident_over": frozenset(),  # key 1 came when it was over
    # typing a number
    "type_number": frozenset(),
    "read_back": frozenset({"digits"}),
    "number_unusable": frozenset(),
    "number_given_up": frozenset(),
    # closed, failing, leaving
    "closed_hours": frozenset({"hours"}),
    "closed_holiday": frozenset({"hours"}),
    "closed_no_agent": frozenset(),
    "closed_queue_full": frozenset(),
    "closed_max_hold": frozenset(),
    "closed_offer_text_or_hear": frozenset(),
    "closed_offer_text": frozenset(),
    "closed_offer_hear": frozenset(),
    # as the sentences without "closed_", where there is no place to keep
    "closed_type_number": frozenset(),
    "closed_number_given_up": frozenset(),
    "closed_cannot_text": frozenset(),
    "closed_already_sent": frozenset(),
    "closed_short_after_text": frozenset(),
    "closed_article_gone": frozenset(),
    "closed_incident_over": frozenset(),
    "overflow": frozenset(),
    "goodbye": frozenset(),
    "goodbye_text": frozenset(),
    "connecting": frozenset(),
    "sorry_hold": frozenset(),
    "agent_queue_empty": frozenset(),
    # the text and its replies
    "text_link": frozenset({"brand", "title", "link"}),
    "text_discreet_title": frozenset(),
    "text_follow_up": frozenset({"brand"}),
    "text_news": frozenset({"brand", "news", "link"}),
    "reply_solved": frozenset({"brand"}),
    "reply_not": frozenset({"brand", "number"}),
    "reply_steps": frozenset({"brand", "steps"}),
    "reply_no_steps": frozenset({"brand", "link"}),
    "reply_found": frozenset({"brand", "title", "link"}),
    "reply_nothing": frozenset({"brand", "number"}),
    "reply_too_many": frozenset({"brand", "number"}),
    "reply_stop": frozenset({"brand"}),
    "reply_start": frozenset({"brand"}),
    "reply_help": frozenset({"brand", "number"}),
    # the article page
    "page_solved": frozenset(),
    "page_need_help": frozenset(),
    "page_thanks": frozenset(),
    "page_call": frozenset({"number"}),
    "page_source": frozenset(),
    "page_community": frozenset({"brand"}),
    "page_by": frozenset({"who"}),
    "page_gone": frozenset({"brand"}),
    "page_incident_over": frozenset({"brand"}),
}

#: sentences that a menu file may leave out: what is said then. The starter menu has them too.
OPTIONAL: dict[str, Mapping[str, str]] = {
    "incident_news": {
        "en": "To get news of the problem by text, press 1.",
        "es": "Para recibir noticias del problema por mensaje, oprima 1.",
    },
    "incident_over": {
        "en": "That notice has just been lifted. Your place is kept, and a person will help you.",
        "es": "Ese aviso se acaba de retirar. Conserva su lugar, y una persona le va a ayudar.",
    },
    "closed_incident_over": {
        "en": "That notice has just been lifted.",
        "es": "Ese aviso se acaba de retirar.",
    },
    "text_news": {
        "en": "{brand}: {news} {link} STOP to end, HELP for help",
        "es": "{brand}: {news} {link} STOP para salir, HELP para ayuda",
    },
    "page_incident_over": {
        "en": "This notice is no longer current. {brand} is glad to help you by phone.",
        "es": "Este aviso ya no está vigente. {brand} le ayuda con gusto por teléfono.",
    },
}

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with its `{name}` places filled; a place without a value stays as it is written.

    Values are put in as they are: no second pass, no attribute access, so braces in a title mean nothing.
    """
    return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template)


def words(plan: Plan, language: str, key: str, /, **values: str | int) -> str:
    """A sentence of the plan in a language (the first language where that one lacks it).

    Raises KeyError for a key that is not in WORDING.
    """
    WORDING[key]
    optional, first = OPTIONAL.get(key, {}), plan.wording[plan.languages[0].code]
    template = plan.wording.get(language, {}).get(key) or optional.get(language) or first.get(key) or optional["en"]
    return fill(template, {name: str(value) for name, value in values.items()})
