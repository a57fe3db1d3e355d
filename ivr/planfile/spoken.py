"""What a voice may say: no links, no markup, no run-together numbers; and how words sound."""

import re
import unicodedata
from difflib import SequenceMatcher

from ivr.call.understand import pure
from ivr.planfile.fields import Fields
from ivr.planfile.problems import Place, Problems
from ivr.planfile.tree import Node

_LINK = re.compile(r"https?:|www\.|\b[a-z0-9-]+\.(com|org|net|example)\b", re.IGNORECASE)
_MARKUP = re.compile(r"[<>]|&\w+;|\*\*|__|`|\]\(")
_RUN = re.compile(r"\d{3,}")
_BAD_KINDS = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
NUMBER_WORDS = {
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "es": ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
}
_SOUNDS = (
    (r"ph", "f"),
    (r"^kn", "n"),
    (r"^wr", "r"),
    (r"gh", ""),
    (r"ck|q|c(?![eiy])", "k"),
    (r"[cz]", "s"),
    (r"x", "ks"),
    (r"j", "g"),
    (r"(?<=.)[aeiouyhw]", ""),
    (r"(.)\1+", r"\1"),
)


def check_written(text: str, place: Place, called: str, problems: Problems) -> None:
    """Notes what neither a voice, a text nor a page may carry in words of ours."""
    if bad := sorted({letter for letter in text if unicodedata.category(letter) in _BAD_KINDS}):
        codes = ", ".join(f"U+{ord(letter):04X}" for letter in bad)
        what = "a line break" if bad == ["\n"] else f"control characters ({codes})"
        problems.error(place, f"{called} holds {what}", "Write it as one line of plain words")
    if found := _LINK.search(text):
        problems.error(place, f"{called} holds a link ('{found[0]}')", "Links are put in by {link} only")
    if found := _MARKUP.search(text):
        problems.error(place, f"{called} holds markup ('{found[0]}')", "Write plain words")


def check_spoken(text: str, place: Place, called: str, problems: Problems) -> None:
    """As `check_written`, and what a voice would read badly."""
    check_written(text, place, called, problems)
    if found := _RUN.search(text):
        problems.error(
            place,
            f"{called} holds '{found[0]}', which a voice reads as one big number",
            f"Write the digits apart: {' '.join(found[0][:12])}",
        )


def words_of(
    fields: Fields, key: str, languages: tuple[str, ...], *, needed: bool = True, most: int = 12
) -> dict[str, str]:
    """Spoken words of a key in every language of the plan: `key: {en: ..., es: ...}`."""
    node = fields.needed(key) if needed else fields.optional(key)
    if node is None:
        return {}
    called = f"'{key}' of {fields.name}"
    said: dict[str, str] = {}
    for code, text_node in by_language(node, called, languages, fields.problems).items():
        text = text_node.text.strip()
        check_spoken(text, text_node.place, f"{called} ({code})", fields.problems)
        if count(text) > most:
            fields.problems.error(
                text_node.place, f"{called} ({code}) has {count(text)} words", f"Say it in at most {most}"
            )
        said[code] = text
    return said


def by_language(node: Node, called: str, languages: tuple[str, ...], problems: Problems) -> dict[str, Node]:
    """The texts of a `{language: text}` block; notes languages that are missing, unknown or empty."""
    inner = Fields(node, called, problems)
    if node.kind != "map":
        return {}
    found = {code: inner.optional(code) for code in languages}
    inner.close()
    for code, one in found.items():
        if one is None:
            problems.error(node.place, f"{called} lacks the language '{code}'", f"Add '{code}:' beside the others")
        elif one.kind != "text" or not one.text.strip():
            problems.error(one.place, f"{called} ({code}) is no text", "Write words")
    return {code: one for code, one in found.items() if one is not None and one.kind == "text" and one.text.strip()}


def count(text: str) -> int:
    """Words, counted as the call counts them."""
    return len(text.split())


def sounds_like(one: str, other: str) -> bool:
    """Whether a recogniser may well confuse two labels, judged by what differs between them."""
    first, second = pure(one), pure(other)
    a = _sound("".join(word for word in first if word not in second))
    b = _sound("".join(word for word in second if word not in first))
    if min(len(a), len(b)) < 3:
        return bool(a) and a == b
    return SequenceMatcher(None, a, b, autojunk=False).ratio() >= 0.85


def _sound(word: str) -> str:
    for pattern, sound in _SOUNDS:
        word = re.sub(pattern, sound, word)
    return word
