"""Letters said one by one, as recognisers write them: "p m i" is PMI to whoever wrote the article."""

import re

_RUN = re.compile(r"(?<![\w'’.-])(?:[^\W\d_] ){1,5}[^\W\d_](?![\w'’-])")
_WORDS = frozenset("aeiouy")  # letters that are words by themselves, in English or Spanish
_BEFORE_A_NAME = re.compile(
    r"(?:^|\b(?:the|my|your|our|their|an|this|that|el|la|los|las|mi|su|un|una) )$", re.IGNORECASE
)


def joined(text: str) -> str:
    """`text` with runs of single letters written as one word. Two of them at least are no words by themselves; one that
    could be begins no run ("a t v") unless a name begins there ("the a t m")."""
    return _RUN.sub(_one, text)


def _one(run: re.Match[str]) -> str:
    letters = run[0].split(" ")
    apart = ""
    if letters[0].lower() in _WORDS and not _BEFORE_A_NAME.search(run.string, 0, run.start()):
        apart = f"{letters.pop(0)} "
    if sum(letter.lower() not in _WORDS for letter in letters) < 2:
        return run[0]
    return apart + "".join(letters)
