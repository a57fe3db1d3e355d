"""What a caller's words mean: a key, a choice, a language, "agent", "repeat", or nothing we know."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from ivr.call.plan import Choice, Menu, Plan

SENTENCE_WORDS = 4  # from here on words are kept as the caller's own description
TRANSCRIPT_LETTERS = 500
HEARD_LETTERS = 2000  # of one answer; a minute of speech is half of it

_AGENT_SURE = "agent operator representative agente operador operadora representante asesor asesora"
_AGENT_PERHAPS = "rep person human someone somebody persona humano humana alguien"
_REPEAT = "repeat again repita repitalo repetir repite"
_YES = "yes yeah yep sure si claro"
_NO = "no nope nah not dont interested interesa"
_TEXT = "text texts message sms mensaje texto"
_HEAR = "hear listen them oir oirlo oirlos escuchar escucharlos"
_FILLERS_EN = (
    "um uh er erm hm hmm mm well so like please thanks thank you hi hello hey okay ok the a an i im id ill"
    " ive would want need my me for with about it is its just can could may get give have some to of on in"
    " that this speak talk connect transfer put through real live now let us you being"
)
_FILLERS_ES = (
    "eh este pues bueno por favor gracias hola el la los las un una mi me con para de del sobre quiero"
    " quisiera necesito puedo hablar comuniqueme paseme tengo es lo al ahora"
)
_ABOUT_KEYS = (
    "number option press key choice choose select pick hit digit"
    " numero opcion oprima oprimo marque marco pulse tecla elijo"
)
_DIGITS_EN = "zero one two three four five six seven eight nine"
_DIGITS_ES = "cero uno dos tres cuatro cinco seis siete ocho nueve"


def _singular(word: str) -> str:
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _set(words: str) -> frozenset[str]:
    return frozenset(_singular(word) for word in words.split())


AGENT_ANYWHERE = _set(_AGENT_SURE)  # means nothing else even inside a longer sentence
AGENT = AGENT_ANYWHERE | _set(_AGENT_PERHAPS)
_AGENT_PHRASES = (
    ("customer", "service"),
    ("customer", "support"),
    ("servicio", "al", "cliente"),
    ("atencion", "al"),
)
REPEAT = _set(_REPEAT)
YES = _set(_YES)
NO, TEXT, HEAR = _set(_NO), _set(_TEXT), _set(_HEAR)
#: language -> what the recogniser should expect after an offer
OFFER_HINTS = {
    "en": ("yes", "yes please", "no", "no thank you", "text", "hear it", "one", "two", "three"),
    "es": ("sí", "sí por favor", "no", "no gracias", "mensaje", "oírlo", "uno", "dos", "tres"),
}
_FILLERS = _set(_FILLERS_EN) | _set(_FILLERS_ES)
_KEY_WORDS = _set(_ABOUT_KEYS)
_NUMBERS = {_singular(word): str(n) for names in (_DIGITS_EN, _DIGITS_ES) for n, word in enumerate(names.split())}
_NAMES_OF_DIGITS = "|".join(f"oh {_DIGITS_EN} {_DIGITS_ES}".split())
_DIGITS = re.compile(r"\d+(?:[\s.,()/-]*\d+)*")
_SPOKEN_DIGITS = re.compile(rf"\b(?:{_NAMES_OF_DIGITS})(?:[\s,.-]+(?:{_NAMES_OF_DIGITS})){{2,}}\b", re.IGNORECASE)


Said = tuple[tuple[str, ...], tuple[str, ...]]  # words as (tokens, pure)


@dataclass(frozen=True, slots=True)
class Meaning:
    """At most one of these is set."""

    key: str | None = None
    choice: Choice | None = None
    language: str | None = None
    agent: bool = False
    repeat: bool = False


def tokens(words: str) -> tuple[str, ...]:
    """Words without case, accents and punctuation; "e-mail" and "wi-fi" as one word, plurals as singulars."""
    plain = unicodedata.normalize("NFKD", words[:HEARD_LETTERS].casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c) and c not in "'’")
    plain = re.sub(r"\b(e|wi)[\s-]+(mail|fi)", r"\1\2", plain)
    return tuple(_singular(word) for word in re.findall(r"[^\W_]+", plain))


def pure(words: str) -> tuple[str, ...]:
    """As `tokens`, without fillers; all of them where nothing else is left."""
    return _both(words)[1]


def _both(words: str) -> Said:
    """What `tokens` and `pure` give."""
    said = tokens(words)
    return said, tuple(word for word in said if word not in _FILLERS) or said


def is_sentence(words: str) -> bool:
    """Whether the words are long enough to describe something."""
    return len(tokens(words)) >= SENTENCE_WORDS


def masked(words: str) -> str:
    """The caller's words for keeping: digits (also spoken one by one) as "#", printable, not endless."""
    seen = "".join(c if c.isprintable() else " " for c in words[:HEARD_LETTERS])
    hidden = _SPOKEN_DIGITS.sub("#", _DIGITS.sub("#", seen))
    return " ".join(hidden.split())[:TRANSCRIPT_LETTERS].strip()


def wants_agent(words: str) -> bool:
    """Whether a person, and nothing else, is asked for."""
    said = pure(words)
    return bool(said) and set(said) <= AGENT


def names_agent(words: str) -> bool:
    """Whether a person is named among other words, by a word that means nothing else."""
    said = tokens(words)
    return bool(set(said) & AGENT_ANYWHERE) or any(_holds(said, phrase) for phrase in _AGENT_PHRASES)


def wants_repeat(words: str) -> bool:
    """Whether the last prompt, and nothing else, is asked for."""
    said = set(pure(words)) - set(tokens("otra vez time say"))
    return (bool(said) and said <= REPEAT) or pure(words) == ("otra", "vez")


def says_yes(words: str) -> bool:
    """A plain yes, or "one"."""
    said = pure(words)
    return (bool(said) and set(said) <= YES) or spoken_key(words) == "1"


def answers_offer(words: str, *, text: bool) -> str:
    """The key that words in answer to an offer mean, "" for none. A plain yes is the text where one is offered."""
    if (key := spoken_key(words)) is not None:
        return key
    said = set(pure(words))
    if not said or wants_repeat(words):
        return "*" if said else ""
    if said <= YES:
        return "1" if text else "2"
    if said <= NO:
        return "3"
    if said <= TEXT | YES:
        return "1"
    return "2" if said <= HEAR | YES else ""


def spoken_key(words: str) -> str | None:
    """The key meant by "three", "number three", "press 3", "la tres"; None for anything longer."""
    said = pure(words)
    rest = [word for word in said if word not in _KEY_WORDS] or list(said[-1:])
    found = {word if len(word) == 1 and word in "0123456789" else _NUMBERS.get(word) for word in rest}
    return found.pop() if len(found) == 1 else None


def understand(words: str, menu: Menu, plan: Plan, language: str, *, top: bool) -> Meaning:
    """The meaning of words said at a menu. Words that fit two choices equally mean nothing."""
    if not tokens(words):
        return Meaning()
    if (key := spoken_key(words)) is not None:
        return Meaning(key=key)
    if wants_agent(words):
        return Meaning(agent=True)
    if wants_repeat(words):
        return Meaning(repeat=True)
    if (choice := _choice(words, menu, plan, language)) is not None:
        return Meaning(choice=choice)
    if top and (chosen := _language(words, plan)) is not None:
        return Meaning(language=chosen)
    return Meaning(agent=names_agent(words))


def phrases(choice: Choice, plan: Plan, language: str) -> tuple[str, ...]:
    """The label and synonyms of a choice in a language."""
    label = choice.label.get(language) or choice.label.get(plan.languages[0].code, "")
    return (label, *choice.synonyms.get(language, ()))


def hints(menu: Menu, plan: Plan, language: str) -> tuple[str, ...]:
    """What the recogniser should expect at a menu."""
    return tuple(dict.fromkeys(p for choice in menu.choices for p in phrases(choice, plan, language) if p))


def fit(said: Said, choice: Choice, plan: Plan, language: str) -> int:
    """How well words fit a choice: 0 not at all, else the length in words of its longest phrase within them.

    More than 100 when the phrase is the whole of what was said.
    """
    whole, bare = said
    best = 0
    for phrase in phrases(choice, plan, language):
        wanted, core = _of_plan(phrase)
        if not wanted:
            continue
        if wanted == whole or (len(core) == len(bare) and sorted(core) == sorted(bare)):
            best = max(best, 100 + len(core))
        elif _holds(whole, wanted) or _holds(bare, core):
            best = max(best, len(core))
    return best


def forbidden(words: str, plan: Plan, language: str) -> bool:
    """Whether words name a choice at which no article may ever be offered."""

    def visit(menu: Menu) -> Iterable[Choice]:
        for choice in menu.choices:
            yield choice
            if choice.menu is not None:
                yield from visit(choice.menu)

    said = _both(words)
    return any(
        fit(said, choice, plan, language) > 0
        for choice in visit(plan.main)
        if choice.leaf is not None and choice.leaf.never_offer
    )


@lru_cache(maxsize=8192)
def _of_plan(phrase: str) -> Said:
    """A phrase of the plan. Only these are kept, never what a caller said."""
    return _both(phrase)


def _choice(words: str, menu: Menu, plan: Plan, language: str) -> Choice | None:
    said = _both(words)
    fits = [(fit(said, choice, plan, language), choice) for choice in menu.choices]
    best = max((how_well for how_well, _ in fits), default=0)
    equal = [choice for how_well, choice in fits if how_well == best]
    return equal[0] if best and len(equal) == 1 else None


def _language(words: str, plan: Plan) -> str | None:
    said = tokens(words)
    found = {one.code for one in plan.languages for name in one.names if name and _holds(said, _of_plan(name)[0])}
    return found.pop() if len(found) == 1 else None


def _holds(words: tuple[str, ...], run: tuple[str, ...]) -> bool:
    if not run or run[0] not in words:
        return False
    return any(words[n : n + len(run)] == run for n in range(len(words) - len(run) + 1))
