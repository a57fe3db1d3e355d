"""One JSON line a log event, with everything about a person or a secret taken out of it."""

import logging
import re
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from config.settings import Settings

_REDACTED = "***"
# Names of fields that hold what must not be in a log, wherever they turn up.
_PRIVATE_NAMES = re.compile(
    r"token|secret|password|signature|authorization|cookie|api_?key|transcript|speech|caller_number|^body$|"
    r"^from_?$|^to_?$",
    re.IGNORECASE,
)
_E164 = re.compile(r"(?:\+|%2B)(?:\d{7,15}(?!\d)|\d{1,3}[ ().-]+\d[\d ().-]{3,16}\d)", re.IGNORECASE)
# As North Americans write theirs: (202) 555-0143, 202.555.0143.
_NATIONAL = re.compile(r"(?<![\w.-])(?:\(\d{3}\)|\d{3})[ .-]*\d{3}[ .-]\d{4}(?![\w-])")
# Digits in a row that could be a national number. Times, sizes and our ids are shorter or not digits alone.
_DIGITS = re.compile(r"(?<![\w.-])\d{9,15}(?![\w.-])")
_SHORT_LINK = re.compile(r"(/r/)[A-Za-z0-9_-]+")
_CREDENTIALS = re.compile(r"(\w+://[^\s:/@]*:)[^\s@/]+@")
_NAMED_SECRET = re.compile(
    r"((?:X-Twilio-Signature|Authorization|AuthToken|api[_-]?key|password|secret|token)[\"']?\s*[:=]\s*)"
    r"(?:(?:Basic|Bearer)\s+)?[^\s,;&}]+",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """`text` without phone numbers, links of callers, passwords, tokens and signatures."""
    text = _CREDENTIALS.sub(rf"\1{_REDACTED}@", text)
    text = _NAMED_SECRET.sub(rf"\1{_REDACTED}", text)
    text = _SHORT_LINK.sub(rf"\1{_REDACTED}", text)
    return _DIGITS.sub(_REDACTED, _NATIONAL.sub(_REDACTED, _E164.sub(_REDACTED, text)))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {name: _REDACTED if _PRIVATE_NAMES.search(str(name)) else _cleaned(v) for name, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_cleaned(part) for part in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact(str(value))


def redact_event(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: see `redact`. Fields named like a secret lose their value whole."""
    cleaned: dict[str, Any] = _cleaned(dict(event))
    return cleaned


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's events to `stream` (standard error), redacted.

    May be called again.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact_event,
    ]
    # The secrets themselves are masked too, in whatever text they turn up.
    shared.append(_Mask(settings))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    # At INFO it prints the URL and parameters of each request: callers' numbers.
    logging.getLogger("twilio").setLevel(logging.WARNING)
    for noisy in ("urllib3", "alembic", "procrastinate"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


class _Mask:
    """structlog processor: takes out the values of the settings that are secrets."""

    def __init__(self, settings: Settings) -> None:
        values = [secret.get_secret_value() for secret in settings.secrets()]
        self._pattern = re.compile("|".join(re.escape(value) for value in sorted(values, key=len, reverse=True)))

    def __call__(self, _: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {name: self._pattern.sub(_REDACTED, v) if isinstance(v, str) else v for name, v in event.items()}
