"""Which evidence moves which article."""

from pathlib import Path

import numpy as np
import pytest

from search.article import Answer, Article
from search.encoder import OnnxEncoder
from search.evidence import FEATURES
from search.finder import Finder
from search.hubs import neighbourhood
from search.index import build, load
from search.judge import GATE, Judge, as_json, gate_facts, judge_from, shipped
from search.query import Query
from search.runs import letter_runs, tag_form
from tests.search.conftest import article


def finder_of(root: Path, articles: list[Article], encoder: OnnxEncoder) -> Finder:
    version, _ = build(articles, encoder, root)
    return Finder(load(root / version, encoder.model_id, encoder.dimension), encoder)


def best(finder: Finder, words: str, *path: str, tags: str = "") -> tuple[str, dict[str, float]]:
    ranking = finder.rank(Query(path, words, "en", frozenset(tags.split())))
    assert ranking is not None
    first = ranking.places[0]
    return finder.article_id(first), dict(zip(FEATURES, first.features, strict=True))


def test_the_menu_path_decides_between_articles_that_say_the_same(tmp_path: Path, encoder: OnnxEncoder) -> None:
    hotels = [
        "Grant Hotel",
        "Kimpton Buchanan",
        "Inn San Francisco",
        "Green Tortoise Hostel",
        "Sunset Lodge",
        "Hotel Rex",
    ]
    hotels += [
        "Palace Garden",
        "Chateau Tivoli",
        "Ocean Park Motel",
        "Union Square Suites",
        "Marina View",
        "Castle House",
    ]
    twins = [
        Article(
            f"h{n}",
            f"{name}: what time is check-in?",
            "",
            (Answer("From three.", accepted=True),),
            tags=(name.lower(),),
        )
        for n, name in enumerate(hotels)
    ]
    finder = finder_of(tmp_path, twins, encoder)
    for n, name in enumerate(hotels):
        found, evidence = best(finder, "what is the check kin time for that", "Hotel", name)
        assert found == f"h{n}"
        assert evidence["tag"] > 0
        assert evidence["path words"] > 0


def test_a_misheard_name_keeps_its_letters(tmp_path: Path, encoder: OnnxEncoder) -> None:
    names = [
        article("spotify", "Spotify stops playing", "Log out."),
        article("netflix", "Netflix stops playing", "Log out."),
    ]
    found, evidence = best(finder_of(tmp_path, names, encoder), "spottify stops play in")
    assert found == "spotify"
    assert evidence["letters"] > 0.4


def test_rare_words_in_common_find_what_the_vectors_miss(
    tmp_path: Path, community: list[Article], encoder: OnnxEncoder
) -> None:
    odd = article("odd", "Strange number on the screen", "Error QX7731 means the cable is loose.")
    found, evidence = best(finder_of(tmp_path, [*community, odd], encoder), "qx7731")
    assert found == "odd"
    assert evidence["words"] == 1.0


def test_a_leafs_tags_leave_the_others_to_compare_with(
    tmp_path: Path, community: list[Article], encoder: OnnxEncoder
) -> None:
    """What may not be offered still shows that the allowed article is not what is meant."""
    finder = finder_of(tmp_path, community, encoder)
    everywhere = finder.rank(Query((), "the light on my router is red", "en"))
    billing = finder.rank(Query((), "the light on my router is red", "en", frozenset({"billing"})))
    assert everywhere is not None
    assert billing is not None
    assert {finder.article_id(place) for place in billing.places} == {"charged-twice"}
    assert billing.gate < -2 < 1 < everywhere.gate
    assert billing.anywhere == everywhere.gate


def test_articles_near_to_everything_are_told_by_their_hubs() -> None:
    draw = np.random.default_rng(3)
    away = draw.normal(size=(400, 32))
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    middle = away.mean(axis=0) + 0.2 * away[0]
    middle /= np.linalg.norm(middle)
    vectors = np.concatenate([away, middle[None]]).astype(np.float16)
    rows = np.arange(401)
    found = neighbourhood(vectors, rows, rows, rows)
    assert found.hubs.shape == (401, 2)
    assert int(np.argmax(found.hubs[:, 0])) == 400 or found.hubs[400, 0] > np.percentile(found.hubs[:, 0], 95)
    assert 0 < found.density[0] < 1


def test_one_article_is_a_community_too(tmp_path: Path, encoder: OnnxEncoder) -> None:
    alone = finder_of(tmp_path, [article("only", "Router light is red", "Reset it.")], encoder)
    assert best(alone, "red router light")[0] == "only"


def test_weights_survive_a_file_and_others_are_refused() -> None:
    judge = shipped()
    assert judge_from(as_json(judge)) == judge
    with pytest.raises(ValueError, match="weights of this version"):
        judge_from({"rank": {}, "gate": {}, "gate_bias": 0})
    with pytest.raises(ValueError, match="ranking weights"):
        Judge((1.0,), (1.0,) * len(GATE), 0.0)


def test_the_gate_is_surer_of_a_lonely_good_match_than_of_one_among_equals() -> None:
    judge = shipped()
    lonely = np.zeros((12, len(FEATURES)), np.float32)
    lonely[0, : FEATURES.index("words")] = 0.8
    crowded = lonely.copy()
    crowded[:, : FEATURES.index("words")] = 0.4
    crowded[0, : FEATURES.index("words")] = 0.42
    density = (0.45, 0.08)
    logits = [judge.logit(gate_facts(one, judge.scores(one), 0, density)) for one in (lonely, crowded)]
    assert logits[0] > 3 > 0 > logits[1]


def test_an_article_that_is_not_near_is_little_surer_for_being_ahead_of_all_others() -> None:
    """ "I need a receipt for my tax return", among threads of a telephone company."""
    views = slice(0, FEATURES.index("words"))
    near, far = np.zeros((2, 12, len(FEATURES)), np.float32)
    near[:, views], far[:, views] = 0.25, 0.25
    near[0, views], far[0, views] = 0.8, 0.4
    scores = np.array([5.0, *[0.0] * 11])
    ahead = GATE.index("clear and near where sparse")
    found = [gate_facts(one, scores, 0, (0.45, 0.08))[ahead] for one in (near, far)]
    assert found == pytest.approx([0.25 * 4 * 0.5, 0.25 * 4 * 0.1])


def test_tags_and_choices_are_compared_without_their_punctuation() -> None:
    assert tag_form("send-and-receive_Email!") == tag_form("Send and receive  email") == "send and receive email"
    assert set(letter_runs("Wi-Fi")) == set(letter_runs("wi fi"))
    assert len(letter_runs("")) == 0
