"""A log line tells what happened and nothing about who it was."""

import json
import logging
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog

from config import logs
from config.settings import Settings


@pytest.fixture
def printed(settings: Settings) -> Iterator[StringIO]:
    """What the configured logs print."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = StringIO()
    logs.configure(settings, stream)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def last(printed: StringIO) -> dict[str, object]:
    found: dict[str, object] = json.loads(printed.getvalue().splitlines()[-1])
    return found


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("text to +12025550143 failed", "text to *** failed"),
        ("To=%2B12025550143&PageSize=50", "To=***&PageSize=50"),
        ("call 2025550143 now", "call *** now"),
        ("+1 (202) 555-0143", "***"),
        ("+44 20 7946 0123 rang", "*** rang"),
        ("(202) 555-0143 or 202.555.0143, 202 555 0143", "*** or ***, ***"),
        ("+12025550143 (202) 555-0143", "*** ***"),
        ("2026-11-22 from 192.168.100.200 in 1.204.5567 s", "2026-11-22 from 192.168.100.200 in 1.204.5567 s"),
        ("GET /r/aB3_x-Z9 200", "GET /r/*** 200"),
        ("postgresql://offhold:pw@db/offhold", "postgresql://offhold:***@db/offhold"),
        ("X-Twilio-Signature: abc/def=", "X-Twilio-Signature: ***"),
        ("Authorization: Basic QUM6dG9r", "Authorization: ***"),
        ("CA0123456789abcdef0123456789abcdef", "CA0123456789abcdef0123456789abcdef"),
        ("took 12.345 ms of 20000", "took 12.345 ms of 20000"),
    ],
)
def test_redaction(text: str, kept: str) -> None:
    assert logs.redact(text) == kept


def test_an_event_is_one_json_line(printed: StringIO) -> None:
    structlog.get_logger().info("text_sent", call_sid="CA1", segments=1)
    found = last(printed)
    assert printed.getvalue().count("\n") == 1
    assert (found["event"], found["level"], found["call_sid"], found["segments"]) == ("text_sent", "info", "CA1", 1)


def test_private_fields_and_secrets_are_stars_wherever_they_turn_up(printed: StringIO, settings: Settings) -> None:
    token = settings.twilio_auth_token[0].get_secret_value()
    structlog.get_logger().warning(
        "odd", transcript="my light is red", deep={"auth_token": "abc", "ok": "+12025550143"}, path=f"/x/{token}/y"
    )
    found = last(printed)
    assert found["transcript"] == "***"
    assert found["deep"] == {"auth_token": "***", "ok": "***"}
    assert found["path"] == "/x/***/y"


def test_other_libraries_and_tracebacks_are_redacted(printed: StringIO) -> None:
    logging.getLogger("some.library").warning("called %s", "+12025550143")
    assert last(printed)["event"] == "called ***"
    try:
        raise ValueError("no such number +12025550143")
    except ValueError:
        structlog.get_logger().exception("failed")
    found = last(printed)
    assert "ValueError: no such number ***" in str(found["exception"])


def test_the_carriers_library_does_not_log_requests(printed: StringIO) -> None:
    logging.getLogger("twilio.http_client").info("POST To=+12025550143")
    assert printed.getvalue() == ""
