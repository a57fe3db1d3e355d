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
# A decimal or grouped number such as 2.45 or 1,200 is left whole.
_LONG_NUMBER = re.compile(r"(?<![\d.,])\d{4,}(?![.,]?\d)")
# Three digits are a number ("214 people", "300 seconds") unless the word before makes them a code.
_CODE = re.compile(
    r"\b(error|code|dial|call|text|pin|port|marque|llame al|código|puerto) (\d{3})(?![.,]?\d)", re.IGNORECASE
)
_PHONE = re.compile(r"(?<![\d.,])\+?\(?\d{1,4}\)?(?:[ .-]\(?\d{2,4}\)?){2,5}(?!\d)")
_GROUP = 3


def _digit_by_digit(found: re.Match[str]) -> str:
    digits = found[0]
    size = _GROUP if len(digits) > _GROUP + 1 else len(digits)
    return ", ".join(" ".join(digits[at : at + size]) for at in range(0, len(digits), size))


def _group_by_group(found: re.Match[str]) -> str:
    """A telephone number as it is written: each group digit by digit. Fewer than seven digits are none."""
    groups = re.findall(r"\d+", found[0])
    return ", ".join(" ".join(group) for group in groups) if len("".join(groups)) >= 7 else found[0]


def _apart(text: str) -> str:
    """Telephone numbers, codes and endless numbers with pauses; counts are left to be read as numbers."""
    text = _PHONE.sub(_group_by_group, text)
    text = _LONG_NUMBER.sub(_digit_by_digit, text)
    return _CODE.sub(lambda found: f"{found[1]} {' '.join(found[2])}", text)


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
    """What is put into one <Say>: clean, telephone numbers and codes read digit by digit with pauses, and short
    enough for every voice.
    """
    said = cut(_apart(clean(text)), longest)
    while len(quote(said)) > LONGEST_QUOTED:
        said = cut(said, len(said) * 3 // 4)
    return said
