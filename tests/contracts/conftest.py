"""The app of the web tests, for tests that put the carrier on the desk in front of it."""

from tests.ivr.web.conftest import app, clock, logged, wiring

__all__ = ["app", "clock", "logged", "wiring"]
