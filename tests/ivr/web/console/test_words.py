"""Every sentence of the console has its Spanish one, with the same places in it."""

import re
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from ivr.web.console.words import FOLDER, catalogue

ROOT = Path(__file__).resolve().parents[4]
KEYWORDS = {"_": None, "N_": None, "gettext": None, "sentence": None, "ngettext": (1, 2)}
METHODS = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]
OPTIONS = {"**.html": {"trimmed": "true", "trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}}
Said = str | tuple[str, ...]


def said() -> dict[Said, str]:
    """Every English sentence with a place where it is said."""
    found: dict[Said, str] = {}
    for folder in ("ivr/web/console", "ivr/console"):
        for file, line, words, _, _ in extract_from_dir(ROOT / folder, METHODS, OPTIONS, KEYWORDS):
            sentence: Said = words if isinstance(words, str) else tuple(words)
            if sentence:
                found.setdefault(sentence, f"{folder}/{file}:{line}")
    return found


def places(words: str) -> set[str]:
    return set(re.findall(r"%\((\w+)\)", words))


def test_every_sentence_has_its_spanish() -> None:
    spanish = catalogue("es")
    assert {where: words for words, where in said().items() if words not in spanish} == {}


def test_no_spanish_is_left_over() -> None:
    known = said()
    assert [words for words in catalogue("es") if words not in known] == []


def test_both_languages_fill_in_the_same_places() -> None:
    wrong = []
    for english, spanish in catalogue("es").items():
        ours = [english] if isinstance(english, str) else list(english)
        theirs = [spanish] if isinstance(spanish, str) else list(spanish)
        if {name for one in ours for name in places(one)} != {name for one in theirs for name in places(one)}:
            wrong.append(english)
    assert wrong == []


def test_no_sentence_is_translated_in_two_files() -> None:
    seen: dict[Said, str] = {}
    twice = []
    for file in sorted((FOLDER / "es").glob("*.po")):
        with file.open("rb") as opened:
            for message in read_po(opened, locale="es", abort_invalid=True):
                said: Said = tuple(message.id) if isinstance(message.id, list | tuple) else message.id
                if said and said in seen:
                    twice.append((said, seen[said], file.name))
                seen[said] = file.name
    assert twice == []
