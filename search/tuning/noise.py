"""What a telephone line and its recogniser leave of written words. Pure: the chance is given."""

import random
import re
from collections import defaultdict
from collections.abc import Iterable

MAX_WORDS = 45  # about what a caller says before the recogniser closes
OPENINGS = ("hi", "hello", "um", "hi um", "yes hello", "so", "well um", "okay so", "hey there", "hi I have a problem")
FILLERS = ("um", "uh", "like", "you know", "I mean", "well", "so")

DROPPED = 0.04
MISHEARD = 0.06
FILLED = 0.03
OPENED = 0.3

_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")
_SOUNDS = {
    **dict.fromkeys("bp", "1"),
    **dict.fromkeys("fv", "2"),
    **dict.fromkeys("ckgqx", "3"),
    **dict.fromkeys("szj", "4"),
    **dict.fromkeys("dt", "5"),
    **dict.fromkeys("mn", "6"),
    **dict.fromkeys("l", "7"),
    **dict.fromkeys("r", "8"),
}


class Telephone:
    """Hears texts badly, as recognisers do: another real word that sounds alike, no punctuation, no capitals.

    `texts` are the community's own; a word is only ever misheard as another word they use.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        known = {word for text in texts for word in spoken_words(text)}
        alike: defaultdict[str, list[str]] = defaultdict(list)
        for word in sorted(known):
            if len(key := _sound(word)) > 1:
                alike[key].append(word)
        self._alike = dict(alike)

    def hear(self, text: str, chance: random.Random) -> str:
        """`text` as a recogniser would give it, MAX_WORDS words of it at most; never empty if `text` is not."""
        words = spoken_words(text)[:MAX_WORDS]
        heard = [chance.choice(OPENINGS)] if chance.random() < OPENED else []
        for word in words:
            draw = chance.random()
            if draw < DROPPED and len(words) > 3:
                continue
            heard.append(self._misheard(word, chance) if draw > 1 - MISHEARD else word)
            if chance.random() < FILLED:
                heard.append(chance.choice(FILLERS))
        return " ".join(heard) or " ".join(words)

    def _misheard(self, word: str, chance: random.Random) -> str:
        """Another word that sounds alike; without one, the word broken in two or a letter short."""
        others = [other for other in self._alike.get(_sound(word), ()) if other != word]
        if others:
            return chance.choice(others)
        if len(word) < 5:
            return word
        cut = chance.randrange(2, len(word) - 1)
        return f"{word[:cut]} {word[cut:]}" if chance.random() < 0.5 else word[:cut] + word[cut + 1 :]


def spoken_words(text: str) -> list[str]:
    """The words of `text`, casefolded, without punctuation."""
    return _WORD.findall(text.casefold())


def _sound(word: str) -> str:
    """Words of one key sound alike: the first sound, then the consonants' classes, a double one once."""
    key = "" if word[:1] in _SOUNDS else word[:1]
    last = ""
    for letter in word:
        if (sound := _SOUNDS.get(letter, "")) and sound != last:
            key += sound
        last = sound
    return key
