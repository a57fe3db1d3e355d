"""What the faults are let loose on."""

from tests.browser.conftest import released

__all__ = ["released"]
