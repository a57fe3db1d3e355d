"""The wording of the menu file: every sentence in every language, short, speakable, with its placeholders."""

import re

from ivr.call.wording import OPTIONAL, PLACEHOLDER, WORDING
from ivr.planfile.fields import Fields, did_you_mean
from ivr.planfile.languages import names_key
from ivr.planfile.problems import Place, Problems
from ivr.planfile.spoken import NUMBER_WORDS, by_language, check_spoken, check_written, count
from ivr.planfile.tree import Node

#: language -> key -> template, and where each template stands
Wording = dict[str, dict[str, str]]
Places = dict[tuple[str, str], Place]

_WRITTEN = ("text_", "reply_", "page_")
_MOST_WORDS = 30
_CAPS = {
    "greeting": 20,
    "menu_choice": 12,
    "menu_or_say": 16,
    "notice": 16,
    "joining": 35,
    "another_customer": 4,
    "reminder": 35,
    "read_back": 35,
    "closed_hours": 45,
    "closed_holiday": 45,
}
#: how many words a placeholder may stand for
_STANDS_FOR = {
    "brand": 2,
    "title": 12,
    "who": 2,
    "label": 4,
    "queue": 4,
    "topic": 6,
    "digits": 10,
    "hours": 12,
}
#: the keys a sentence must name
_KEYS_NAMED = {
    "returning": "1",
    "returning_discreet": "1",
    "offer_text_or_hear": "12",
    "offer_text": "1",
    "offer_hear": "2",
    "closed_offer_text_or_hear": "12",
    "closed_offer_text": "1",
    "closed_offer_hear": "2",
    "not_arrived_hear": "2",
    "short_after_text": "1",
    "incident_news": "1",
    "closed_short_after_text": "1",
    "read_back": "12",
}
#: placeholders a sentence cannot do without
_ESSENTIAL: dict[str, tuple[str, ...]] = {
    "menu_choice": ("label", "key"),
    "returning": ("topic",),
    "position": ("position",),
    "wait_range": ("low", "high"),
    "offer_opening": ("title",),
    "closed_offer_opening": ("title",),
    "proof_useful": ("n",),
    "proof_helped": ("n",),
    "read_back": ("digits",),
    "text_link": ("brand", "title", "link"),
    "text_follow_up": ("brand",),
    "text_news": ("brand", "news", "link"),
    "reply_not": ("number",),
    "reply_steps": ("steps",),
    "reply_no_steps": ("link",),
    "reply_found": ("title", "link"),
    "reply_nothing": ("number",),
    "reply_too_many": ("number",),
    "reply_stop": ("brand",),
    "reply_start": ("brand",),
    "reply_help": ("brand", "number"),
    "page_call": ("number",),
    "page_by": ("who",),
}
_A_KEY = r"(?:\d|\{key\}|" + "|".join(word for words in NUMBER_WORDS.values() for word in words) + ")"
_KEY_FIRST = re.compile(
    rf"\b(?:press|oprima|presione|marque|pulse)\s+{_A_KEY},?\s+(?!or\b|and\b|o\b|y\b|u\b)\w", re.IGNORECASE
)


def read_wording(node: Node | None, languages: tuple[str, ...], problems: Problems) -> tuple[Wording, Places]:
    """Every sentence of WORDING in every language: `key: {en: ..., es: ...}`. Those of OPTIONAL may be left out."""
    wording: Wording = {code: {} for code in languages}
    places: Places = {}
    if node is None:
        return wording, places
    given = {key: (place, inner) for key, place, inner in Fields(node, "'wording'", problems).entries()}
    for key, (place, _) in given.items():
        if key not in WORDING:
            problems.error(place, f"'{key[:60]}' is no sentence of ours", did_you_mean(key, list(WORDING)))
    for key in WORDING:
        if key not in given:
            if key in OPTIONAL:
                continue
            problems.error(node.place, f"'wording' lacks '{key}'", f"Add '{key}:' with each language below it")
            continue
        for code, one in by_language(given[key][1], f"'{key}'", languages, problems).items():
            template = one.text.strip()
            wording[code][key] = template
            places[code, key] = one.place
            _check(key, code, template, one.place, problems)
    return wording, places


def is_written(key: str) -> bool:
    """Whether a sentence is read by the eye: a text, a reply or the page."""
    return key.startswith(_WRITTEN)


def _check(key: str, code: str, template: str, place: Place, problems: Problems) -> None:
    called = f"'{key}' ({code})"
    _check_placeholders(key, template, place, called, problems)
    bare = PLACEHOLDER.sub("", template)
    if is_written(key):
        check_written(bare, place, called, problems)
        return
    check_spoken(bare, place, called, problems)
    most, words = _CAPS.get(key, _MOST_WORDS), length(template)
    if words > most:
        problems.error(place, f"{called} takes {words} words to say", f"Say it in at most {most}")
    for number in _KEYS_NAMED.get(key, ""):
        if not names_key(template, number, code):
            problems.error(place, f"{called} does not name the key {number}", "End a sentence with that key")
    if found := _KEY_FIRST.search(template):
        problems.warn(
            place,
            f"{called} names the key before what it does ('{found[0]}...')",
            "Say the meaning first, the key last",
        )


def _check_placeholders(key: str, template: str, place: Place, called: str, problems: Problems) -> None:
    allowed = WORDING[key]
    used = set(PLACEHOLDER.findall(template))
    for name in sorted(used - allowed):
        problems.error(
            place,
            f"{called} has the placeholder {{{name}}}, which it may not",
            f"Allowed here: {', '.join(f'{{{one}}}' for one in sorted(allowed)) or 'none'}",
        )
    for name in _ESSENTIAL.get(key, ()):
        if name not in used:
            problems.error(place, f"{called} lacks {{{name}}}", f"Put {{{name}}} where its value belongs")
    if set(PLACEHOLDER.sub("", template)) & {"{", "}"}:
        problems.error(place, f"{called} has a brace that is no placeholder", "Placeholders look like {title}")


def length(template: str) -> int:
    """Words a sentence takes when its placeholders are filled with the longest they commonly stand for."""
    return count(PLACEHOLDER.sub(lambda found: " ".join(["word"] * _STANDS_FOR.get(found[1], 1)), template))
