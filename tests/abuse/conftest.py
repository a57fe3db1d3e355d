"""The service with a company's own account: the test phone's calls are counted against no budget."""

import pytest

from config.settings import Settings, load
from tests.ivr.jobs.conftest import desk, starter_plan
from tests.ivr.web.conftest import (
    CALLED,
    app,
    browser,
    carrier,
    clock,
    compiled_once,
    logged,
    token,
    wiring,
)
from tests.scenery import HASH_KEY

#: fixtures of other folders that the tests here ask for
__all__ = [
    "app",
    "browser",
    "carrier",
    "clock",
    "compiled_once",
    "desk",
    "logged",
    "starter_plan",
    "token",
    "wiring",
]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Those of the tests, for an account that Twilio made."""
    given = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "REDIS_URL": settings.redis_url.get_secret_value(),
        "DATA_DIR": str(settings.data_dir),
        "NUMBER_HASH_KEY": HASH_KEY,  # the one caller is held out by no draw
        "TWILIO_ACCOUNT_SID": "AC" + "5" * 32,
        "TWILIO_AUTH_TOKEN": "the token of a company's own account",
        "TWILIO_SENDER_NUMBER": CALLED,
        "TWILIO_API_BASE_URL": "http://127.0.0.1:9",
    }
    return load(given, dotenv=None)
