"""Which language a thread is in. Offline, by the character statistics of py3langid."""

from functools import cache
from typing import Any

from py3langid.langid import MODEL_FILE, LanguageIdentifier

MAX_TEXT = 2_000
MIN_LETTERS = 12
SURE = 0.6
SURE_LIKELY = 0.35  # for the likely ones: English, Spanish and the source's default

#: Told apart. Dialects and languages that no community of ours writes are left out: each would take short texts
#: away from its bigger neighbour (Galician from Spanish, Nigerian Pidgin from English).
LANGUAGES = [
    "ar",
    "bg",
    "ca",
    "cs",
    "da",
    "de",
    "el",
    "en",
    "es",
    "et",
    "fa",
    "fi",
    "fr",
    "he",
    "hi",
    "hr",
    "hu",
    "id",
    "it",
    "ja",
    "ko",
    "lt",
    "lv",
    "nl",
    "no",
    "pl",
    "pt",
    "ro",
    "ru",
    "sk",
    "sl",
    "sv",
    "th",
    "tr",
    "uk",
    "vi",
    "zh",
]


def language_of(text: str, default: str) -> str:
    """The language code ("en", "es", ...) of `text`, title and body together; `default` when there is too little
    text or no language stands out."""
    text = text[:MAX_TEXT]
    if sum(map(str.isalpha, text)) < MIN_LETTERS and text.isascii():
        return default
    code, probability = _identifier().classify(text)
    needed = SURE_LIKELY if code in ("en", "es", default) else SURE
    return str(code) if probability >= needed else default


@cache
def _identifier() -> Any:
    """Loaded at the first use (about a second and 100 MB): only the process that syncs needs it."""
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LANGUAGES)
    return identifier
