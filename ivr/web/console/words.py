"""The console's words in English and Spanish, and how numbers and times are written in each."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError, dates, numbers
from babel.messages.pofile import read_po
from flask import Flask, g, request, session
from markupsafe import Markup, escape

from ivr.console.errors import Sentence
from ivr.console.roles import NAMES
from ivr.planfile.problems import Problem
from ivr.web.console import findings, sessions
from ivr.web.guards import wiring

FOLDER = Path(__file__).parent / "words"
#: by code, each by its own name
LANGUAGES = {"en": "English", "es": "Español"}
_LOCALES = {"en": "en_US", "es": "es_US"}


@cache
def catalogue(language: str) -> Mapping[str | tuple[str, ...], Any]:
    """Every sentence of the console in a language, by the English one. English needs none."""
    found: dict[str | tuple[str, ...], Any] = {}
    for file in sorted((FOLDER / language).glob("*.po")):
        with file.open("rb") as opened:
            for message in read_po(opened, locale=language, abort_invalid=True):
                written = message.string if isinstance(message.string, tuple | list) else (message.string,)
                if message.id and all(written):
                    found[tuple(message.id) if isinstance(message.id, list | tuple) else message.id] = message.string
    return found


def language() -> str:
    """The language of this request's page: the person's own, else the one chosen here, else the browser's."""
    if "language" not in g:
        person = g.get("staff")
        wanted = person.language if person else session.get(sessions.LANGUAGE)
        g.language = wanted if wanted in LANGUAGES else request.accept_languages.best_match(LANGUAGES, "en")
    found: str = g.language
    return found


def _in_words(text: str) -> str:
    found: str = catalogue(language()).get(text, text)
    return found


def _of_template(text: str) -> str:
    """As `_in_words`, for `{% trans %}`, which doubles every % and fills in the places of what it gets back."""
    if text in catalogue(language()) or "%%" not in text:
        return _in_words(text)
    return _in_words(text.replace("%%", "%")).replace("%", "%%")


def language_name(code: str) -> str:
    """A language as the page's own calls it: Spanish, inglés. One that is not known is its code."""
    try:
        return Locale.parse(code, sep="-").get_display_name(language()) or code
    except (UnknownLocaleError, ValueError):
        return code


def gettext(text: str, **values: Any) -> str:
    """A sentence in the page's language; `%(name)s` places are filled in."""
    return _in_words(text) % values if values else _in_words(text)


def ngettext(one: str, many: str, n: int, **values: Any) -> str:
    """A sentence about one or `n` things; `%(num)s` is the number."""
    first, other = catalogue(language()).get((one, many), (one, many))
    return str(first if n == 1 else other) % {"num": number(n), **values}


_ = gettext


def told(problem: Sentence | str) -> str:
    """What a form is told, in the page's language."""
    if not isinstance(problem, Sentence):
        return _known(problem)
    values = {name: told(value) if isinstance(value, Sentence) else value for name, value in problem.values.items()}
    return _in_words(problem.text) % values if values else _known(problem.text)


def _known(text: str) -> str:
    """A sentence of the console, one of another part of the house, or lines of the check of menus."""
    found: str | None = catalogue(language()).get(text)
    for speaker in (findings.STATEMENT, findings.SOURCES, findings.DOCTOR):
        found = found or findings.translated(language(), text, speaker)
    return found or "\n".join(findings.translated(language(), line) or line for line in text.split("\n"))


def finding(found: Problem) -> str:
    """What the check found, in the page's language."""
    return findings.in_words(language(), found)


def said(text: str, speaker: str) -> str:
    """What another part of the house says (findings.py lists them), in the page's language."""
    return findings.paragraphs(language(), text, speaker)


# ---- numbers and times


@cache
def _locale_of(language: str) -> Locale:
    return Locale.parse(_LOCALES[language])


def _locale() -> Locale:
    return _locale_of(language())


def zone() -> tzinfo:
    """The site's zone: that of the default queue of the live plan."""
    if "zone" not in g:
        plan = wiring().plans.known()
        if plan is None:
            try:
                with wiring().pool.connection() as conn:
                    plan = wiring().plans.live(conn)
            except LookupError:  # nothing was published yet
                pass
        g.zone = ZoneInfo(plan.queues[plan.default_queue].hours.zone) if plan else UTC
    found: tzinfo = g.zone
    return found


def number(value: float, decimals: int | None = None) -> str:
    """12,345 or 12,345.6."""
    return _decimal(value or 0, decimals, language())


@lru_cache(16_384)  # a table has a thousand figures, and most of them are small
def _decimal(value: float, decimals: int | None, language: str) -> str:
    pattern = None if decimals is None else "#,##0" + ("." + "0" * decimals if decimals else "")
    return numbers.format_decimal(value, pattern, locale=_locale_of(language))


def percent(share: float, decimals: int = 0) -> str:
    """A share 0..1 as 12 %."""
    return _percent(share or 0, decimals, language())


@lru_cache(16_384)
def _percent(share: float, decimals: int, language: str) -> str:
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "") + "%"
    return numbers.format_percent(share, pattern, locale=_locale_of(language))


def when(at: datetime | date | None, form: str = "medium") -> str:
    """A time in the site's zone, or a date as it is, as the language writes it; None: a dash."""
    if at is None:
        return "–"
    if isinstance(at, datetime):
        return dates.format_datetime(at, form, tzinfo=zone(), locale=_locale())
    return dates.format_date(at, form, locale=_locale())


def ago(at: datetime) -> str:
    """How long ago: 3 minutes ago."""
    return dates.format_timedelta(at - wiring().clock(), add_direction=True, locale=_locale())


def lasting(seconds: float) -> str:
    """How long: 12 s, 3:05 min."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60}:{whole % 60:02} min"


def emphasised(text: str) -> Markup:
    """Plain text with its line breaks kept."""
    return Markup("<br>").join(escape(line) for line in text.splitlines())


def paragraphs(text: str) -> Markup:
    """Plain text whose lines were broken for a narrow screen: only its empty lines are kept."""
    return Markup("<br><br>").join(escape(" ".join(one.split())) for one in text.split("\n\n"))


def install(app: Flask) -> None:
    """`_`, `{% trans %}` and the filters of the templates."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    # The extension adds this method to the environment, where its types do not tell of it.
    app.jinja_env.install_gettext_callables(_of_template, _plural, newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.filters.update(
        told=told,
        finding=finding,
        said=said,
        number=number,
        percent=percent,
        when=when,
        ago=ago,
        lasting=lasting,
        lines=emphasised,
        paragraphs=paragraphs,
    )
    app.jinja_env.globals.update(
        language=language, language_name=language_name, LANGUAGES=LANGUAGES, zone=zone, role_names=NAMES
    )
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def _plural(one: str, many: str, n: int) -> str:
    first, other = catalogue(language()).get((one, many), (one, many))
    return str(first if n == 1 else other)
