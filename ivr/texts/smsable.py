"""Words from outside made safe and cheap for a text: GSM-7 only, one line, nothing a handset would make a link of."""

import re
import unicodedata

from ivr.texts.segments import septets

#: Characters that look like, or stand for, cheaper ones. The extension table of GSM-7 costs two septets a character.
_CHEAP = str.maketrans(
    {
        "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "`": "'", "´": "'", "ʼ": "'",
        "“": '"', "”": '"', "„": '"', "‟": '"', "″": '"', "«": '"', "»": '"',
        "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "~": "-",
        "…": "...", "•": "-", "·": "-", "。": ".", "、": ",", "⁄": "/", "∕": "/",
        "[": "(", "]": ")", "{": "(", "}": ")", "|": "/", "\\": "/", "^": "", "€": "EUR ", "\f": " ",
        "×": "x", "÷": "/", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th",
        "œ": "oe", "Œ": "OE", "ı": "i", "ﬁ": "fi", "ﬂ": "fl", "©": "(c)", "®": "", "™": "", "°": " deg",
        # Cyrillic letters that pass for Latin ones
        "а": "a", "в": "b", "е": "e", "к": "k", "м": "m", "н": "h", "о": "o", "р": "p", "с": "c", "т": "t",
        "у": "y", "х": "x", "ѕ": "s", "і": "i", "ј": "j", "ԁ": "d", "ԛ": "q", "ԝ": "w", "ɡ": "g", "һ": "h",
        "А": "A", "В": "B", "Е": "E", "К": "K", "М": "M", "Н": "H", "О": "O", "Р": "P", "С": "C", "Т": "T",
        "У": "Y", "Х": "X", "Ѕ": "S", "І": "I", "Ј": "J", "Ү": "Y", "Ԛ": "Q", "Ԝ": "W",
        # Greek ones; the capitals GSM-7 has stay out, they are letters of no Latin look
        "α": "a", "ο": "o", "ν": "v", "ι": "i", "κ": "k", "ρ": "p", "υ": "u", "χ": "x", "τ": "t",
        "Α": "A", "Β": "B", "Ε": "E", "Ζ": "Z", "Η": "H", "Ι": "I", "Κ": "K", "Μ": "M", "Ν": "N", "Ο": "O",
        "Ρ": "P", "Τ": "T", "Υ": "Y", "Χ": "X",
    }
)  # fmt: skip

LONGEST = 4000  # characters looked at: far more than any text has room for
_WORD = re.compile(r"\S+")
#: What makes a word one that a handset underlines. Looked for from the middle outwards, so that a title of 500 letters
#: without a blank takes no longer than others.
_LINK = re.compile(
    r"\w:/|(?i:https?|ftp|tel|sms|mailto):|(?i:www)\.|@"  # a scheme, www., an address with @
    r"|[^\W_][_-]*\.[a-z]{2}"  # name.tld in small letters
    r"|[^\W_][_-]*\.(?:COM|NET|ORG|INFO|BIZ|IO|CO|ME|LY|APP|DEV|XYZ|TOP|RU|CN)\b"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}"  # an IP address
)
_JOINED = re.compile(r"(?<=[^\W\d_])([.!?,;:])(?=[^\W\d_])")  # "router.It": a sentence end without its blank
_NUMBER = re.compile(
    r"\+?\(?\d(?:[\s().+/-]{0,3}\d){6,}"  # seven digits or more, however grouped
    r"|\d{5,}"
    r"|\b1[\s.-]?[89]\d{2}\b"  # 1-800, 1-900
)
_CONTROL = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}


def to_gsm(words: str) -> str:
    """The words in one-septet GSM-7 characters. What has no look-alike there is left out; line breaks are blanks."""
    plain = unicodedata.normalize("NFKC", words.translate(_CHEAP)).translate(_CHEAP)
    return "".join(_letter(character) for character in plain)


def _letter(character: str) -> str:
    if septets(character) == 1 and character not in "\n\r":
        return character
    if unicodedata.category(character) in _CONTROL:
        return " " if character.isspace() else ""
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    bare = unicodedata.normalize("NFD", character)[0].translate(_CHEAP)
    return bare if len(bare) == 1 and septets(bare) == 1 else ""


def smsable(title: str) -> str:
    """A title from outside for the body of a text: no link, address or long number in it, one line, GSM-7.

    May be empty; the caller then uses words of the plan.
    """
    words = to_gsm(title[:LONGEST])
    while True:
        cleaned = _NUMBER.sub(" ", _JOINED.sub(r"\1 ", _WORD.sub(_kept, words)))
        cleaned = " ".join(cleaned.split())
        if cleaned == words:
            break
        words = cleaned
    return _trimmed(words)


def _kept(word: re.Match[str]) -> str:
    return " " if _LINK.search(word[0]) else word[0]


def _trimmed(words: str) -> str:
    kept = words.lstrip(" -,;:./)+=_*&").rstrip(" -,;:/(+=_*&")
    return kept if sum(character.isalpha() for character in kept) >= 3 else ""


def cut(words: str, room: int) -> str:
    """The words cut at a blank so that they take at most `room` septets, "..." said where any is lost."""
    if len(words) <= room:
        return words
    kept = ""
    for word in words.split():
        longer = f"{kept} {word}".strip()
        if len(longer) + 3 > room:
            break
        kept = longer
    return (
        kept.rstrip(" -,;:/'\"(.") + "..." if kept else words[: max(0, room - 3)].rstrip() + "..." if room > 6 else ""
    )
