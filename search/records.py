"""One record of an article file, checked and made into an `Article`. Every value comes from outside."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from search.article import Answer, Article
from search.speakable import short_version

MAX_TITLE = 500
MAX_TEXT = 100_000
MAX_ANSWERS = 50
MAX_VOTES = 1_000_000_000
_MOST = 10**18  # longer ones are slow to write out, or cannot be

_ID = re.compile(r"[A-Za-z0-9._:-]{1,80}")
_TAG = re.compile(r"\w[^\x00-\x1f\x7f\ud800-\udfff]{0,59}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})?")
_URL = re.compile(r"https?://[^\s\"'<>\\]{1,2000}")
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")  # neither PostgreSQL nor XML can hold them
_CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")  # not in XML; mere dirt
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False}


class RecordError(ValueError):
    """Why a record is not imported, in words for the one who made the file."""


@dataclass(frozen=True)
class Defaults:
    """What holds for a record that does not say otherwise."""

    language: str = "en"
    licence: str = ""


def article_from(record: object, defaults: Defaults) -> Article:
    """The article a JSON object or a CSV row describes. Raises `RecordError`."""
    if not isinstance(record, Mapping):
        raise RecordError("not an object with an id and a title")
    question, answers = _thread(record)
    if not answers:
        raise RecordError("has no answer")
    accepted = next((answer for answer in answers if answer.accepted), None)
    return Article(
        id=_identity(record),
        title=_line(record, "title", MAX_TITLE, needed=True),
        question=question,
        answers=answers,
        author=_line(record, "author", 200) or None,
        votes=_votes(record),
        url=_address(record) if record.get("url") else "",
        tags=_tags(record.get("tags")),
        language=language_of(record, defaults),
        licence=_line(record, "licence", 200) or defaults.licence,
        name_authors=_truth(record, "name_authors"),
        short=short_version(accepted.text) if accepted else None,
    )


def id_of(record: Mapping[str, Any]) -> Any:
    """A record's id; a whole number as its text: JSON and YAML know numbers, the files that name articles do not."""
    value = record.get("id")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _MOST:
        return str(value)
    return value


def language_of(record: Mapping[str, Any], defaults: Defaults) -> str:
    """The code of a record's language, without its region. Raises `RecordError`."""
    text = (_line(record, "language", 20) or defaults.language).lower().replace("_", "-")
    if not _LANGUAGE.fullmatch(text):
        raise RecordError("language is not a code such as en, es or pt-br")
    return text.split("-")[0]  # plans know languages, not regions


def is_web_address(text: str) -> bool:
    """Whether it may be the link of an article: http or https, with a host, of at most 2,000 characters."""
    try:
        return bool(_URL.fullmatch(text) and urlsplit(text).hostname)
    except ValueError:  # http://[
        return False


def _address(record: Mapping[str, Any]) -> str:
    text = _text(record, "url", 2100)
    if not is_web_address(text):
        raise RecordError("url is not a web address, http or https")
    return text


def _thread(record: Mapping[str, Any]) -> tuple[str, tuple[Answer, ...]]:
    """Question and answers, from `question` and `answers` or from a `body` of "Q:" and "A:" parts."""
    given = record.get("answers")
    if isinstance(given, str) and given.strip():
        try:
            given = json.loads(given)
        except (ValueError, RecursionError) as error:
            raise RecordError("answers is not valid JSON") from error
    if not given:
        return _from_body(_text(record, "body"), _text(record, "question"))
    if not isinstance(given, list) or len(given) > MAX_ANSWERS:
        raise RecordError(f"answers is not a list of at most {MAX_ANSWERS}")
    answers = [_answer(answer) for answer in given]
    first = next((place for place, answer in enumerate(answers) if answer.accepted), None)
    return _text(record, "question"), tuple(
        Answer(answer.text, answer.author, answer.votes, accepted=place == first)
        for place, answer in enumerate(answers)
    )


def _answer(given: object) -> Answer:
    if not isinstance(given, Mapping):
        raise RecordError("an answer is not an object with a text")
    text = _text(given, "text")
    if not text:
        raise RecordError("an answer has no text")
    return Answer(text, _line(given, "author", 200) or None, _votes(given), _truth(given, "accepted"))


def _from_body(body: str, question: str) -> tuple[str, tuple[Answer, ...]]:
    """A body without marks is one answer. The first answer counts as the accepted one."""
    parts = re.split(r"(?:\A|\n)A:\s*", body)
    if body.startswith("Q:"):
        question = parts.pop(0)[2:].strip()
    texts = [part.strip() for part in parts[:MAX_ANSWERS] if part.strip()]
    return question, tuple(Answer(text, accepted=place == 0) for place, text in enumerate(texts))


def _text(record: Mapping[str, Any], name: str, limit: int = MAX_TEXT) -> str:
    value = record.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RecordError(f"{name} is not a text")
    if len(value) > limit:
        raise RecordError(f"{name} is longer than {limit} characters")
    if found := _NOT_TEXT.search(value):
        raise RecordError(f"{name} holds the character U+{ord(found[0]):04X}, which is not text")
    return _CONTROL.sub(" ", value.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _line(record: Mapping[str, Any], name: str, limit: int, needed: bool = False) -> str:
    text = " ".join(_text(record, name, limit).split())
    if needed and not text:
        raise RecordError(f"has no {name}")
    return text


def _identity(record: Mapping[str, Any]) -> str:
    text = _text({"id": id_of(record)}, "id", 2100)
    if not text:
        raise RecordError("has no id")
    if not _ID.fullmatch(text):
        raise RecordError("id is not 1 to 80 letters, digits or . _ : -")
    return text


def _tags(given: object) -> tuple[str, ...]:
    if given is None:
        return ()
    parts: list[object] = list(re.split(r"[,;|]", given)) if isinstance(given, str) else []
    if isinstance(given, list):
        parts = given
    elif not isinstance(given, str):
        raise RecordError("tags is neither a list nor a text with commas")
    tags = [" ".join(part.split()).casefold() if isinstance(part, str) else None for part in parts]
    kept = tuple(dict.fromkeys(tag for tag in tags if tag != ""))
    if len(kept) > 50 or not all(tag is not None and _TAG.fullmatch(tag) for tag in kept):
        raise RecordError("tags are not at most 50 short words")
    return tuple(tag for tag in kept if tag is not None)


def _votes(record: Mapping[str, Any]) -> int:
    value = record.get("votes")
    if isinstance(value, str):
        value = value.strip() or None
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,10}", value):
            value = int(value)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_VOTES:
        raise RecordError("votes is not a whole number")
    return max(value, 0)


def _truth(record: Mapping[str, Any], name: str) -> bool:
    value = record.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    found = _TRUTH.get(str(value).strip().lower())
    if found is None:
        raise RecordError(f"{name} is neither true nor false")
    return found
