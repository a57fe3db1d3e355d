"""Titles from outside, made fit for a text."""

import time

import pytest

from ivr.texts.smsable import smsable


@pytest.mark.parametrize("unit", ["a", "a-", "a.b.", "1.2.3.", "a_", "1-", "((", "x@", "http:"])
def test_no_title_takes_long(unit: str) -> None:
    """A title is made fit while its caller waits for the answer to a key; a long answer, while its reader does."""
    begun = time.thread_time()
    smsable(unit * (500 // len(unit)))
    smsable(unit * (100_000 // len(unit)))
    assert time.thread_time() - begun < 1
