"""A service that nobody has set up yet."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.service import Service, running


@pytest.fixture(scope="module")
def fresh(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """As `service`, of a module's own: nobody has an account, and its link was just printed."""
    data_dir = tmp_path_factory.mktemp("fresh") / "var"
    subprocess.run(["cp", "-Rp", released, data_dir], check=True)
    with running(data_dir) as started:
        yield started
