"""Words before they are said: how long they take, how they are cut."""

import re
from collections.abc import Sequence

from ivr.call.plan import Plan, Words
from ivr.call.prompts import Say
from ivr.call.state import CallState, Stage
from ivr.call.wording import WORDING, words

WORDS_PER_SECOND = 2.5
SENTENCE_PAUSE_S = 0.3


def say(state: CallState, plan: Plan, key: str, /, **values: str | int) -> Say:
    """A sentence of the plan in the caller's language; where nobody can answer no place is promised."""
    if state.stage is Stage.CLOSED and f"closed_{key}" in WORDING:
        key = f"closed_{key}"
    return Say(words(plan, state.language, key, **values), state.language)


def in_language(spoken: Words, language: str, otherwise: str = "") -> str:
    """The words in a language, else those of the first one given, else `otherwise`."""
    return spoken.get(language) or next(iter(spoken.values()), otherwise)


def seconds(text: str) -> float:
    """An estimate of how long a voice takes."""
    sentences = len(re.findall(r"[.!?]+(?:\s|$)", text)) or 1
    return len(text.split()) / WORDS_PER_SECOND + SENTENCE_PAUSE_S * sentences if text.strip() else 0.0


def milliseconds(says: Sequence[Say]) -> int:
    """As `seconds`, for several sentences."""
    return round(1000 * sum(seconds(one.words) for one in says))


def first_words(text: str, most: int) -> str:
    """The text cut after `most` words, without the punctuation left hanging by the cut."""
    split = text.split()
    return text.strip() if len(split) <= most else " ".join(split[:most]).rstrip(",;:.–—- ")


def in_groups(e164: str) -> str:
    """A number digit by digit in groups: "2 0 2, 5 5 5, 0 1 4 3" (numbers under +1 without their prefix)."""
    digits = e164.lstrip("+")
    if len(digits) == 11 and digits.startswith("1"):
        digits = digits[1:]
    groups = [digits[n : n + 3] for n in range(0, len(digits), 3)]
    if len(groups) > 1 and len(groups[-1]) == 1:
        groups[-2:] = [groups[-2] + groups[-1]]
    return ", ".join(" ".join(group) for group in groups)
