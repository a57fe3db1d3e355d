"""What the check of a menu file, the doctor, a statement and a source say, in the page's language.

They speak English wherever they are asked, at a terminal and by the API too; here their sentences are known again by
their patterns, so that they need not know who reads them.
"""

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from babel.messages.pofile import read_po

from ivr.planfile.problems import Problem

FOLDER = Path(__file__).parent / "words"
_PLACE = re.compile(r"%\((\w+)\)s")
#: who speaks -> the file of their sentences is words/SPEAKER-LANGUAGE.po
CHECK, DOCTOR, STATEMENT, FORMULAS, SOURCES = "findings", "doctor", "statement", "formulas", "sources"
#: places that hold words of the speaker's own; in the others stands what the file has, to the letter
_OURS = frozenset({"called", "wanted", "found", "other", "what", "do", "thing"})
_LONGEST = 600  # letters; a longer one quotes a file that is no menu


class Pattern(NamedTuple):
    """A sentence: what it looks like, and how another language says it."""

    shape: re.Pattern[str]
    said: str


@cache
def patterns(language: str, speaker: str = CHECK) -> tuple[Pattern, ...]:
    """Every sentence there is a translation of, those with the most fixed letters first. English needs none."""
    file = FOLDER / f"{speaker}-{language}.po"
    if not file.exists():
        return ()
    with file.open("rb") as opened:
        pairs = [(str(one.id), str(one.string)) for one in read_po(opened, abort_invalid=True) if one.id]
    pairs.sort(key=lambda pair: -len(_PLACE.sub("", pair[0])))
    return tuple(Pattern(_shape(english), said) for english, said in pairs)


def _shape(sentence: str) -> re.Pattern[str]:
    parts, names = _PLACE.split(sentence), set()
    for n in range(1, len(parts), 2):
        name = parts[n]
        parts[n] = f"(?P={name})" if name in names else f"(?P<{name}>.+?)"
        names.add(name)
    parts[::2] = [re.escape(one) for one in parts[::2]]
    return re.compile("".join(parts), re.DOTALL)


@lru_cache(maxsize=2048)
def translated(language: str, text: str, speaker: str = CHECK) -> str | None:
    """A sentence of the check, or of another speaker, in a language; None for one that is not known there."""
    for pattern in patterns(language, speaker) if len(text) <= _LONGEST else ():
        if found := pattern.shape.fullmatch(text):
            return pattern.said % {
                name: translated(language, value, speaker) or value if name in _OURS else value
                for name, value in found.groupdict().items()
            }
    return None


def in_words(language: str, found: Problem) -> str:
    """What is wrong and what to do, as one text."""
    what, do = (translated(language, text) or text for text in (found.what, found.do))
    return f"{what}. {do}" if do.endswith("?") else f"{what}. {do}."


def paragraphs(language: str, text: str, speaker: str) -> str:
    """A text of another speaker, paragraph by paragraph; what is not known stays as it is."""
    return "\n\n".join(translated(language, " ".join(one.split()), speaker) or one for one in text.split("\n\n"))
