"""A community that nobody has judged is judged by its own threads."""

import json
from pathlib import Path

import pytest

from search.__main__ import main
from search.article import Answer, Article
from search.bundle import Bundle
from search.calibration import calibration_from
from search.encoder import DEFAULT_MODEL, OnnxEncoder
from search.evaluation.community import Tried, calibrate, trials
from search.evaluation.far import FAR
from search.index import build, load
from search.judge import gate_id, shipped


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, community: list[Article], encoder: OnnxEncoder) -> Bundle:
    root = tmp_path_factory.mktemp("index")
    version, _ = build(community, encoder, root)
    return load(root / version, encoder.model_id, encoder.dimension)


def test_each_thread_is_asked_for_with_its_answers_there_and_without(
    bundle: Bundle, community: list[Article], encoder: OnnxEncoder
) -> None:
    steps: list[int] = []
    tried = list(trials(community, bundle, encoder, steps.append))
    gone = len(community) - 1  # without the one Spanish thread there is nothing to look at in Spanish
    threads, far = tried[: 2 * len(community) + gone], tried[2 * len(community) + gone :]
    assert sum(steps) == len(community)
    assert sum(one.answerable for one in threads) == 2 * len(community)
    assert sum(one.right for one in threads) >= 7 + 4  # as they are, and by answers that share few words with them
    assert not any(one.right or one.answerable for one in far)
    assert len(far) == len(FAR["en"]) + len(FAR["es"])
    assert list(trials(community, bundle, encoder)) == tried  # the same in every run


def test_a_language_with_threads_enough_has_a_calibration_of_its_own(
    bundle: Bundle, community: list[Article], encoder: OnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.evaluation.community.LEAST_THREADS", 6)
    monkeypatch.setattr("search.evaluation.community.FAR", {"en": ("why is the sky blue",), "es": ()})
    found = calibrate(community, bundle, encoder)
    assert set(found.languages) == {"en"}  # of the one Spanish thread nothing can be said
    assert (sum(found.every.counts), sum(found.of("en").counts)) == (2 * 7 + 6 + 1, 2 * 6 + 6 + 1)
    assert found.of("es") == found.every


def test_doubles_of_a_thread_do_not_answer_for_it(tmp_path: Path, encoder: OnnxEncoder) -> None:
    question = "since the power cut of last night the light on the front of my router has been red and nothing works"
    one = Article("one", "Router light red", question, ())
    same = [one, Article("two", "Router light red", question, ())]
    answered = [Article(each.id, each.title, each.question, _answers(each.id)) for each in same]
    version, _ = build(answered, encoder, tmp_path)
    found = list(trials(answered, load(tmp_path / version, encoder.model_id, encoder.dimension), encoder))
    assert [one.answerable for one in found[:5]] == [True] * 4 + [False]  # nothing is left without the two
    assert all(isinstance(one, Tried) for one in found)


def _answers(name: str) -> tuple[Answer, ...]:
    return (Answer(f"Hold the reset pin of the router, said {name}.", accepted=True),)


def test_the_command_writes_a_calibration_for_this_search(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], community: list[Article]
) -> None:
    file, out = tmp_path / "articles.jsonl", tmp_path / "calibration.json"
    records = [
        {
            "id": one.id,
            "title": one.title,
            "body": f"Q: {one.title}\nA: {one.answers[0].text}",
            "language": one.language,
        }
        for one in community
    ]
    file.write_text("\n".join(map(json.dumps, records)), "utf-8")
    kept = ["--kept", str(tmp_path / "kept")]
    assert main(["calibrate", "--community", str(file), "--out", str(out), *kept]) == 0
    content = json.loads(out.read_text("utf-8"))
    right, wrong, none = calibration_from(content).counts
    assert (right + wrong, none) == (2 * 7, 6 + len(FAR["en"]) + len(FAR["es"]))
    assert content["gate"] == gate_id(shipped(), DEFAULT_MODEL)
    told = capsys.readouterr().out
    assert f"{right} answered rightly, {wrong} wrongly, {none} without an answer" in told
    assert "of texts wrong" in told
    file.write_text("", "utf-8")
    assert main(["calibrate", "--community", str(file), "--out", str(out), *kept]) == 1
