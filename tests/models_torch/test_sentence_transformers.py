"""ENCODER=sentence-transformers: equal to the default encoder, and able to build and serve an index."""

from pathlib import Path

import numpy as np

from search.encoder import OnnxEncoder, SentenceTransformersEncoder, load_encoder
from search.finder import Finder
from search.index import build, load
from search.query import Query
from search.result import Match
from tests.search.conftest import article
from tests.search.golden_make import HERE, make, texts

COMMUNITY = [
    article("red-light", "Router light stays red after the power cut", "Hold the reset pin for ten seconds."),
    article("charged-twice", "I was charged twice this month", "The second charge is a reservation."),
    article("messages-gone", "E-mail messages disappeared after an update", "Rebuild the inbox."),
]


def test_golden_vectors_are_what_sentence_transformers_gives() -> None:
    np.testing.assert_allclose(make(), np.load(HERE / "golden.npy", allow_pickle=False), atol=1e-5)


def test_both_encoders_give_the_same_vectors() -> None:
    pairs = (OnnxEncoder().encode(texts()) * make()).sum(axis=1)
    assert pairs.min() >= 0.998


def test_an_index_is_built_and_served_with_it_and_served_by_the_other(tmp_path: Path) -> None:
    heavy = load_encoder("sentence-transformers")
    version, count = build(COMMUNITY, heavy, tmp_path)
    assert count == 3
    query = Query(("Billing",), "you took the money two times", "en")
    for encoder in (heavy, OnnxEncoder()):
        bundle = load(tmp_path / version, encoder.model_id, encoder.dimension)
        found = Finder(bundle, encoder).find(query)
        assert isinstance(found, Match)
        assert found.article_id == "charged-twice"


def test_a_model_in_a_folder_has_an_id_of_its_own(tmp_path: Path) -> None:
    default = SentenceTransformersEncoder()
    default._model.save(str(tmp_path / "tuned"))
    tuned = load_encoder("sentence-transformers", str(tmp_path / "tuned"))
    assert tuned.model_id.startswith("tuned@")
    assert tuned.dimension == 384
    np.testing.assert_allclose(tuned.encode(["no internet"]), default.encode(["no internet"]), atol=1e-6)
