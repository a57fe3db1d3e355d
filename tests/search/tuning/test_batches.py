"""Which pairs are trained beside which."""

import numpy as np

from search.tuning.pairs import Pair
from search.tuning.train import NEIGHBOURS, batches_of, neighbours

PAIRS = [Pair(f"asked {number}", f"wanted {number}", number, number) for number in range(200)]


def test_every_pair_is_trained_once_an_epoch_and_in_another_order_in_the_next() -> None:
    near = np.array([[(number + 1) % 200, (number + 2) % 200] for number in range(200)])
    first, second = batches_of(PAIRS, near, 16, 1), batches_of(PAIRS, near, 16, 2)
    assert sorted(place for batch in first for place in batch) == list(range(200))
    assert first != second
    assert first == batches_of(PAIRS, near, 16, 1)


def test_neighbours_share_a_batch() -> None:
    near = np.array([[number ^ 1] for number in range(200)])
    batches = batches_of(PAIRS, near, 20, 1)
    assert all({place ^ 1 for place in batch} == set(batch) for batch in batches)


def test_a_neighbour_is_near_but_neither_among_the_nearest_nor_a_near_duplicate() -> None:
    angles = np.linspace(0, 1, 100)
    questions = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    own_group = list(range(100))
    own_group[10] = 0  # a near-duplicate
    found = neighbours(questions, own_group)
    assert sorted(found[0].tolist()) == [6, 7, 8, 9, *range(11, NEIGHBOURS.stop + 2)]


def test_a_community_smaller_than_the_neighbourhood_has_no_neighbours() -> None:
    assert neighbours(np.eye(4, dtype=np.float32), [0, 1, 2, 3]).shape == (4, 0)
