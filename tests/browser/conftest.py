"""One service and one browser for all tests of the folder; a fresh context, and nothing to complain of, for each."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.chromium import Complaints, chromium, person
from tests.browser.phone import PATIENCE_MS, Phone
from tests.browser.service import Service, running


@pytest.fixture(scope="session")
def service(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service, on a copy of `released`."""
    data_dir = tmp_path_factory.mktemp("browser") / "var"
    subprocess.run(["cp", "-Rp", released, data_dir], check=True)  # with its owners: PostgreSQL never runs as root
    with running(data_dir) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Ends with its module: while it lives, its event loop counts as running in this thread, and tests that come after
    in the same process start loops of their own.
    """
    with chromium() as started:
        yield started


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A person's browser. The test fails when one of its pages complained."""
    opened = person(browser, viewport={"width": 1440, "height": 900})
    opened.set_default_timeout(PATIENCE_MS)
    complaints = Complaints(opened)
    yield opened
    opened.close()
    assert complaints == []


@pytest.fixture
def phone(context: BrowserContext, service: Service) -> Phone:
    """The test phone, at five times the speed."""
    return Phone(context.new_page(), service).fast()
