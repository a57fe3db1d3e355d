"""Words made safe and plain for the carrier's voice. Pure."""

import re
from urllib.parse import quote

LONGEST = 1000  # characters of one <Say>; the voices refuse more than 3000 and up
LONGEST_QUOTED = 4500  # URL-encoded letters of one <Say>

# What XML 1.0 forbids, control characters, bidirectional marks, invisible letters and tags.
_UNSPEAKABLE = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
    "|[\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
# A decimal or grouped number such as 2.5 or 1,200 is left whole; 1200 would be read as one long number.
_LONG_NUMBER = re.compile(r"(?<![\d.,])\d{3,}(?![.,]?\d)")
_GROUP = 3


def _digit_by_digit(found: re.Match[str]) -> str:
    digits = found[0]
    size = _GROUP if len(digits) > _GROUP + 1 else len(digits)
    return ", ".join(" ".join(digits[at : at + size]) for at in range(0, len(digits), size))


def clean(text: str) -> str:
    """The text without anything that could break the XML or turn it around, on one line."""
    return " ".join(_UNSPEAKABLE.sub(" ", text).split())


def cut(text: str, longest: int) -> str:
    """At most `longest` characters, ended at a word where there is one."""
    if len(text) <= longest:
        return text
    head, space, _ = text[: longest + 1].rpartition(" ")
    return head if space else text[:longest]


def speakable(text: str, longest: int = LONGEST) -> str:
    """What is put into one <Say>: clean, numbers of three digits or more read digit by digit with pauses, and
    short enough for every voice.
    """
    said = cut(_LONG_NUMBER.sub(_digit_by_digit, clean(text)), longest)
    while len(quote(said)) > LONGEST_QUOTED:
        said = cut(said, len(said) * 3 // 4)
    return said
