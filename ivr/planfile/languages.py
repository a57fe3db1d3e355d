"""Languages of the menu file: voices, and how callers choose them."""

import re

from ivr.call.plan import Language
from ivr.call.understand import pure, tokens
from ivr.planfile.fields import Fields
from ivr.planfile.problems import Problems, shown
from ivr.planfile.spoken import NUMBER_WORDS, check_spoken, count
from ivr.planfile.tree import Node

_VOICE = re.compile(r"(man|woman|alice|Polly\.[A-Z][a-z]+(-Neural|-Generative)?|Google\.([a-z]{2,3}-[A-Z]{2})-[\w-]+)")


def read_languages(top: Fields) -> tuple[Language, ...]:
    """At least one; the first needs no choosing."""
    top.needed("languages")
    found: list[Language] = []
    for node in top.items("languages"):
        language = _language(node, first=not found, problems=top.problems)
        for other in found:
            _tell_apart(language, other, node, top.problems)
        found.append(language)
    return tuple(found)


def _tell_apart(language: Language, other: Language, node: Node, problems: Problems) -> None:
    if language.code == other.code:
        problems.error(node.place, f"language '{shown(language.code)}' is given twice", "Keep one of the two")
    elif language.key and language.key == other.key:
        problems.error(node.place, f"two languages have the key {language.key}", "Give each its own")
    if same := {pure(name) for name in language.names} & {pure(name) for name in other.names}:
        problems.error(node.place, f"two languages are chosen by '{' '.join(min(same))}'", "Take it from one of them")


def _language(node: Node, *, first: bool, problems: Problems) -> Language:
    fields = Fields(node, "a language", problems)
    code, locale, voice = fields.text("code"), fields.text("locale"), fields.text("voice")
    if code and not re.fullmatch(r"[a-z]{2,3}", code):
        fields.error(fields.place_of("code"), f"'{shown(code)}' is no language code", "Write one such as en or es")
    fields.name = f"language '{shown(code)}'"
    if locale and (not re.fullmatch(r"[a-z]{2,3}-[A-Z]{2}", locale) or locale.partition("-")[0] != code):
        fields.error(fields.place_of("locale"), f"'{shown(locale)}' is no locale of '{shown(code)}'", "Write en-US")
    if voice:
        _check_voice(fields, voice, locale)
    language = Language(
        code=code,
        locale=locale,
        voice=voice,
        rate_percent=fields.integer("rate_percent", 100, 50, 150),
        key=_key(fields, first=first),
        invite=_invite(fields, first=first),
        names=tuple(name.text.strip() for name in fields.texts("names")),
    )
    if not first and not language.names:
        fields.error(fields.place, f"{fields.name} has no names", "List the words that choose it: names: [español]")
    _check_invite(fields, language)
    fields.close()
    return language


def _check_voice(fields: Fields, voice: str, locale: str) -> None:
    found = _VOICE.fullmatch(voice)
    place = fields.place_of("voice")
    if not found:
        fields.error(place, f"'{shown(voice)}' is no voice", "Write one such as Polly.Joanna-Neural")
    elif found[3] and found[3] != locale:
        fields.error(place, f"the voice speaks {found[3]}, not {shown(locale)}", "Take a voice of the locale")


def _key(fields: Fields, *, first: bool) -> str | None:
    key = fields.text("key", "") if first else fields.text("key")
    place = fields.place_of("key")
    if first and key:
        fields.error(place, "the first language needs no key", "Delete it: callers hear this language anyway")
    elif key and not re.fullmatch(r"[1-9]", key):
        fields.error(place, f"'{shown(key)}' is no key for a language", "Use 1 to 9; 0 is an agent, * repeats")
        return None
    return key or None


def _invite(fields: Fields, *, first: bool) -> str:
    invite = fields.text("invite", "") if first else fields.text("invite")
    if first and invite:
        fields.error(fields.place_of("invite"), "the first language needs no invite", "Delete it")
    return invite


def _check_invite(fields: Fields, language: Language) -> None:
    place = fields.place_of("invite")
    check_spoken(language.invite, place, f"'invite' of {fields.name}", fields.problems)
    if count(language.invite) > 12:
        fields.error(place, f"the invite has {count(language.invite)} words", "Say it in at most 12")
    if language.invite and language.key and not names_key(language.invite, language.key, language.code):
        fields.error(place, f"the invite does not name the key {language.key}", "End it with the key to press")


def names_key(text: str, key: str, code: str) -> bool:
    """Whether words in a language name a key, as a digit or as a word."""
    words = tokens(text)
    spoken = NUMBER_WORDS.get(code)
    return key in words or (spoken is not None and tokens(spoken[int(key)])[0] in words)
