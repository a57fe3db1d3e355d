"""The experiment's draw: sticky, nested, as often as designed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.call.arms import BUCKETS, arm
from ivr.call.plan import OfferRules
from ivr.call.state import Caller, CallerKind
from ivr.texts.numbers import Numbers

SHARES = st.integers(0, BUCKETS).map(lambda n: n / BUCKETS)


def drawn(bucket: int, share: float) -> tuple[str, float]:
    return arm(Caller(CallerKind.MOBILE, "key", bucket), OfferRules(holdout_share=share))


@given(st.integers(0, BUCKETS - 1), SHARES, SHARES)
def test_nobody_moves_back_when_fewer_are_held_out(bucket: int, one: float, other: float) -> None:
    more, fewer = max(one, other), min(one, other)
    if drawn(bucket, more)[0] == "treat":
        assert drawn(bucket, fewer)[0] == "treat"


@pytest.mark.parametrize("share", [0.0, 0.05, 0.1, 0.29, 0.5, 1.0])
def test_exactly_the_designed_share_of_buckets_is_held_out(share: float) -> None:
    draws = [drawn(bucket, share) for bucket in range(BUCKETS)]
    held_out = [probability for side, probability in draws if side == "holdout"]
    assert len(held_out) == round(share * BUCKETS)
    assert set(held_out) <= {share}


@given(st.text(), st.text())
def test_a_caller_keeps_the_bucket_and_another_experiment_draws_anew(experiment: str, who: str) -> None:
    numbers = Numbers(b"k" * 32, [b"e" * 32])
    assert numbers.bucket(experiment, who) == numbers.bucket(experiment, who)
    assert 0 <= numbers.bucket(experiment, who) < BUCKETS


def test_one_experiments_holdout_is_no_more_held_out_in_the_next() -> None:
    numbers = Numbers(b"k" * 32, [b"e" * 32])
    first = [who for who in map(str, range(20_000)) if numbers.bucket("offer-1", who) < 1000]
    again = sum(numbers.bucket("offer-2", who) < 1000 for who in first)
    assert 0.08 < len(first) / 20_000 < 0.12
    assert 0.07 < again / len(first) < 0.13
