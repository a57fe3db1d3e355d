"""What callers say before they say what is wrong, and the sounds between their words: "hi, um, yeah so".

An encoder takes every word of so short a text for part of the problem. One or two of these among the others are hardly
felt; more of them are, and each greeting (docs/decisions/0015).
"""

import re
from collections.abc import Mapping

_ALWAYS: Mapping[str, str] = {
    "en": "ok|okay|oh|yes|yeah|yep|hi|hello|hey|thanks|thank you|please|so|and|also|but|alright|all right|good morning"
    "|good afternoon|good evening|i see|got it|you know|i mean|that's (?:fine|great|good|perfect)"
    "|(?:that )?sounds (?:good|great|perfect)",
    "es": "ok|okay|ah|hola|sí|si|oiga|oye|mire|pues|gracias|muchas gracias|por favor|y|pero|o sea|buenos d[ií]as"
    "|buenas tardes|buenas noches",
}
# Each of these may begin the problem itself ("right speaker is dead"): more of the kind, or a word that names nothing,
# has to follow.
_PERHAPS: Mapping[str, str] = {
    "en": "well|right|great|perfect|awesome|excellent|nice|cool|sure|good|now|then|like",
    "es": "bueno|bien|este|perfecto|claro|ya|a ver",
}
_NAMES_NOTHING: Mapping[str, str] = {
    "en": "i|i'm|i've|i'd|i'll|my|we|our|you|your|they|the|a|an|this|these|it|it's|that|there|is|are|am|was|do|does|did"
    "|can|could|would|will|should|have|has|how|what|what's|when|where|which|who|why|if",
    "es": "yo|me|mi|mis|nos|nuestro|nuestra|el|la|los|las|un|una|no|se|le|es|está|hay|tengo|quiero|quisiera|necesito"
    "|puedo|cómo|como|qué|que|cuándo|dónde",
}
_GREETS: Mapping[str, str] = {
    "en": "hi|hello|hey|thanks|thank you|please|good (?:morning|afternoon|evening)",
    "es": "hola|gracias|por favor|buenos d[ií]as|buenas (?:tardes|noches)",
}
_FEW = 2  # opening words that may stay where none greets
_WORD_ENDS = r"(?![\w'-])"
_SOUNDS = re.compile(rf"(?<![\w'-])(?:u+h+m*|u+m+|e+r+m+|h+m+|m+h+m+|a+h+m*|e+h+){_WORD_ENDS}[,.]*\s*", re.IGNORECASE)


def _opening(language: str) -> re.Pattern[str]:
    always, perhaps = _ALWAYS[language], _PERHAPS[language]
    follows = rf"(?:{always}|{perhaps}|{_NAMES_NOTHING[language]}){_WORD_ENDS}"
    return re.compile(
        rf"(?:(?:{always}){_WORD_ENDS}[\s,.!]*|(?:{perhaps})(?:[,.!]+\s*|\s+(?={follows})))++", re.IGNORECASE
    )


_OPENINGS = {language: _opening(language) for language in _ALWAYS}
_GREETING = {language: re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for language, words in _GREETS.items()}


def to_the_point(text: str, language: str) -> str:
    """`text` without sounds, and without the words it opens with where these greet or are more than a few. It may be
    empty.

    In a language whose openings are not known it is as it was.
    """
    opening = _OPENINGS.get(language)
    if opening is None:
        return text
    heard = _SOUNDS.sub("", text.replace("’", "'")).strip()
    begins = opening.match(heard)
    if begins is None or not (len(begins[0].split()) > _FEW or _GREETING[language].search(begins[0])):
        return heard
    return heard[begins.end() :]
