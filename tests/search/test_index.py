"""An index bundle is complete, of the right model and unaltered, or it is refused."""

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from search import calibration, index, judge
from search.article import Answer, Article
from search.bundle import ANSWER, NO_DAY, QUESTION, TITLE, WHOLE, Collected, Evidence, passages
from search.encoder import OnnxEncoder, Vectors
from search.index import BEFORE, FILES, BundleError, _sealed, build, load, prune, verify

MODEL = "all-MiniLM-L6-v2"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, community: list[Article], encoder: OnnxEncoder) -> Path:
    root = tmp_path_factory.mktemp("index")
    version, _ = build(community, encoder, root)
    return root / version


def test_a_bundle_holds_every_article_with_its_passages(built: Path, community: list[Article]) -> None:
    bundle = load(built, MODEL, 384)
    assert list(bundle.ids) == [article.id for article in community]
    assert bundle.titles[2] == "I was charged twice this month"
    assert bundle.language_names == ("en", "es")
    assert bundle.records["language"].tolist() == [0, 0, 0, 0, 0, 0, 1]
    assert bundle.tags_of(0) == {"internet", "router"}
    assert bundle.vectors.count == len(bundle.owners) == 2 * len(community)
    assert bundle.owners.tolist()[:4] == [0, 0, 1, 1]
    assert bundle.kinds.tolist()[:4] == [TITLE, ANSWER, TITLE, ANSWER]
    assert bundle.passages_of(1) == range(2, 4)
    assert bundle.version == built.name


def test_an_article_is_found_by_its_id(built: Path, community: list[Article]) -> None:
    bundle = load(built, MODEL, 384)
    assert [bundle.row(article.id) for article in community] == list(range(len(community)))
    assert bundle.row("nobody") is None


def test_language_and_tags_tell_what_may_be_found(built: Path) -> None:
    bundle = load(built, MODEL, 384)
    allowed = bundle.allowed("en", frozenset({"internet", "tv"}))
    assert np.unpackbits(allowed.articles, bitorder="little").tolist() == [1, 1, 0, 0, 1, 0, 0, 0]
    assert np.unpackbits(allowed.passages, bitorder="little").tolist() == [
        1,
        1,
        1,
        1,
        0,
        0,
        0,
        0,
        1,
        1,
        0,
        0,
        0,
        0,
        0,
        0,
    ]
    assert allowed.number == 3
    assert bundle.allowed("es").number == 1
    assert bundle.allowed("de").number == 0


def test_a_source_of_made_up_languages_keeps_nobody_from_building() -> None:
    collected = Collected()
    for number in range(300):
        collected.add(Article(f"a{number}", "Title", "", (), language=f"x-{number}"), Evidence(), [TITLE])
    named, told = collected.names["languages"], collected.arrays()["records"]["language"]
    assert (named[254], told[254], len(named)) == ("x-254", 254, 255)
    assert set(told[255:].tolist()) == {255}


def test_an_article_is_its_title_its_question_its_best_answers_and_all_of_it() -> None:
    answers = tuple(Answer(f"Answer {n}", votes=n, accepted=n == 2) for n in range(7))
    assert passages(Article("a", "Title", "Question", answers)) == [
        (TITLE, "Title"),
        (QUESTION, "Question"),
        (ANSWER, "Answer 2"),
        (ANSWER + 1, "Answer 6"),
        (ANSWER + 2, "Answer 5"),
        (ANSWER + 3, "Answer 4"),
        (ANSWER + 4, "Answer 3"),
        (WHOLE, "Question\n" + "\n".join(f"Answer {n}" for n in range(7))),
    ]
    assert passages(Article("a", "Same", "", (Answer("Same"),))) == [(TITLE, "Same")]


def test_what_is_known_of_an_article_is_kept(tmp_path: Path, community: list[Article], encoder: OnnxEncoder) -> None:
    known = {"remote": Evidence(helped=3, written_at=datetime(2026, 11, 22, tzinfo=UTC))}
    weights = judge.as_json(replace(judge.shipped(), gate_bias=1.5))
    told = calibration.as_json(replace(calibration.shipped(), counts=(9, 1, 10)))
    version, _ = build(community, encoder, tmp_path, evidence=known, model=weights, calibration=told)
    bundle = load(tmp_path / version, MODEL, 384)
    record = bundle.records[bundle.row("remote")]
    assert (int(record["helped"]), int(record["accepted"])) == (3, 1)
    assert int(record["day"]) == datetime(2026, 11, 22, tzinfo=UTC).toordinal()
    assert (bundle.model, bundle.calibration) == (weights, told)
    assert int(bundle.records[0]["day"]) == NO_DAY


def test_progress_counts_every_article_once(tmp_path: Path, community: list[Article], encoder: OnnxEncoder) -> None:
    steps: list[int] = []
    _, count = build(community * 10, encoder, tmp_path, steps.append)
    assert sum(steps) == count == 70
    assert len(steps) > 1


class Told:
    """An encoder that remembers what it was asked for."""

    def __init__(self, encoder: OnnxEncoder, model_id: str = MODEL) -> None:
        self._encoder, self.model_id, self.dimension = encoder, model_id, encoder.dimension
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return self._encoder.encode(texts)


def test_a_next_build_encodes_only_what_is_new(
    built: Path, tmp_path: Path, community: list[Article], encoder: OnnxEncoder
) -> None:
    told = Told(encoder)
    changed = [replace(community[1], title="Now something else"), *community[2:], community[0]]
    version, count = build(changed, told, tmp_path, before=built)
    whole, _ = build(changed, encoder, tmp_path)
    assert (told.asked, count) == (["Now something else"], len(community))
    ours, theirs = (load(tmp_path / one, MODEL, 384) for one in (version, whole))
    rows = np.arange(ours.vectors.count)
    assert np.allclose(ours.vectors.read(rows), theirs.vectors.read(rows), atol=1e-3)
    assert (tmp_path / version / "passages.npy").read_bytes() == (tmp_path / whole / "passages.npy").read_bytes()


def test_a_next_build_takes_nothing_over_that_is_damaged_or_of_another_encoder(
    built: Path, tmp_path: Path, community: list[Article], encoder: OnnxEncoder
) -> None:
    damaged, other = shutil.copytree(built, tmp_path / built.name), Told(encoder, "another")
    with (damaged / "vectors.npy").open("r+b") as file:
        file.seek(500)
        file.write(b"?")
    told = Told(encoder)
    build(community, told, tmp_path, before=damaged)
    build(community, other, tmp_path, before=built)
    assert len(told.asked) == len(other.asked) == 2 * len(community)


def test_a_bundle_of_the_format_before_is_served_until_the_next_build(
    built: Path, tmp_path: Path, community: list[Article], encoder: OnnxEncoder
) -> None:
    folder, told = shutil.copytree(built, tmp_path / built.name), Told(encoder)
    (folder / "passages.npy").unlink()
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    del manifest["sha256"]["passages.npy"], manifest["seal"]
    (folder / "manifest.json").write_text(_sealed({**manifest, "format": BEFORE}), "utf-8")
    assert len(load(folder, MODEL, 384).ids) == len(community)
    build(community, told, tmp_path, before=folder)
    assert len(told.asked) == 2 * len(community)


def test_a_title_alone_is_indexed_too(tmp_path: Path, encoder: OnnxEncoder) -> None:
    version, _ = build([Article("bare", "Only a title", "", ())], encoder, tmp_path)
    assert load(tmp_path / version, MODEL, 384).vectors.count == 1


def test_an_empty_community_gives_no_index(tmp_path: Path, encoder: OnnxEncoder) -> None:
    with pytest.raises(BundleError, match="no live article"):
        build([], encoder, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_build_that_the_disk_refuses_leaves_nothing_on_it(
    tmp_path: Path, community: list[Article], encoder: OnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(index, "_sync", refused)
    with pytest.raises(OSError, match="No space left"):
        build(community, encoder, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_no_altered_byte_is_ever_served(built: Path, tmp_path: Path, name: str) -> None:
    whole = (built / name).read_bytes()
    for place in {0, 1, len(whole) // 3, len(whole) // 2, len(whole) - 1}:
        damaged = tmp_path / built.name
        shutil.copytree(built, damaged)
        changed = bytearray(whole)
        changed[place] ^= 0x04
        (damaged / name).write_bytes(changed)
        with pytest.raises(BundleError):
            load(damaged, MODEL, 384)
        shutil.rmtree(damaged)


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"[]", b"null", b"[" * 100_000])
def test_a_missing_or_strange_file_is_refused(built: Path, tmp_path: Path, name: str, content: bytes | None) -> None:
    damaged = shutil.copytree(built, tmp_path / built.name)
    (damaged / name).unlink()
    if content is not None:
        (damaged / name).write_bytes(content)
    with pytest.raises(BundleError):
        load(damaged, MODEL, 384)


def test_a_bundle_of_another_model_is_refused(built: Path) -> None:
    with pytest.raises(BundleError, match=r"built with all-MiniLM-L6-v2 .* build the index again"):
        load(built, "another-model", 384)
    with pytest.raises(BundleError, match=r"not with all-MiniLM-L6-v2 \(768"):
        load(built, MODEL, 768)


def test_a_bundle_under_another_name_is_refused(built: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="holds version"):
        load(shutil.copytree(built, tmp_path / "renamed"), MODEL, 384)


def sealed_anew(folder: Path, **told: object) -> None:
    """As another program might write a bundle: every checksum right."""
    manifest = json.loads((folder / "manifest.json").read_text()) | told
    if "sha256" not in told:
        manifest["sha256"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}
    del manifest["seal"]
    (folder / "manifest.json").write_text(_sealed(manifest))


@pytest.mark.parametrize(
    ("name", "array", "told"),
    [
        ("vectors", np.zeros((3, 384), np.float16), "3 vectors for 14 passages"),
        ("vectors", np.full((14, 384), np.nan, np.float16), "longer than one"),
        ("vectors", np.full((14, 384), 9, np.float16), "longer than one"),
        ("hubs", np.full((4, 2), np.nan, np.float16), "no numbers"),
        ("owners", np.zeros(14, np.float64), "owners of float64"),
        ("id-starts", np.full(5, 10**9, np.uint64), "id-bytes that id-starts does not part"),
    ],
)
def test_arrays_that_no_index_has_are_refused(
    built: Path, tmp_path: Path, name: str, array: npt.NDArray[Any], told: str
) -> None:
    odd = shutil.copytree(built, tmp_path / built.name)
    np.save(odd / f"{name}.npy", array)
    sealed_anew(odd)
    with pytest.raises(BundleError, match=told):
        load(odd, MODEL, 384)


@pytest.mark.parametrize("name", ["model", "calibration"])
def test_weights_that_no_search_has_are_refused(built: Path, tmp_path: Path, name: str) -> None:
    odd = shutil.copytree(built, tmp_path / built.name)
    (odd / f"{name}.json").write_text('{"right": 1}')
    sealed_anew(odd)
    with pytest.raises(BundleError, match=r"these are not the weights|this is no calibration"):
        verify(odd)


@pytest.mark.parametrize("told", [{"passages": "14"}, {"sha256": None}, {"format": None}, {"model_id": 7}])
def test_a_manifest_of_something_else_is_refused(built: Path, tmp_path: Path, told: dict[str, object]) -> None:
    odd = shutil.copytree(built, tmp_path / built.name)
    sealed_anew(odd, **told)
    with pytest.raises(BundleError, match="does not tell"):
        verify(odd)


def test_verify_tells_what_a_bundle_holds(built: Path, community: list[Article]) -> None:
    manifest = verify(built)
    assert (manifest["articles"], manifest["model_id"]) == (len(community), MODEL)


def test_old_bundles_are_pruned_and_fresh_drafts_left_alone(tmp_path: Path) -> None:
    for name in ("one", "two", ".draft", ".stale"):
        (tmp_path / name).mkdir()
    os.utime(tmp_path / ".stale", (0, 0))
    assert prune(tmp_path, "one".__eq__) == [".stale", "one"]
    assert sorted(folder.name for folder in tmp_path.iterdir()) == [".draft", "two"]


KILLED_BUILDS = """
import json, os, signal, sys
import numpy as np
from pathlib import Path
from search import index
from search.article import Answer, Article
from search.bundle import ANSWER, NO_DAY, QUESTION, TITLE, WHOLE, Evidence, passages

class Tiny:
    model_id, dimension = "tiny", 4
    def encode(self, texts):
        return np.full((len(texts), 4), 0.5, dtype=np.float32)

def build_until(step):
    syncs = 0
    def sync(descriptor):
        nonlocal syncs
        if syncs == step:
            os.kill(os.getpid(), signal.SIGKILL)
        syncs += 1
    index._sync = sync
    index.build([Article("a", "Title", "", ())], Tiny(), Path(sys.argv[1]) / str(step))
    os._exit(0)

ends = []
for step in range(int(sys.argv[2])):
    child = os.fork() or build_until(step)
    ends.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(json.dumps(ends))
"""


def test_a_build_killed_at_any_step_leaves_the_whole_bundle_or_none(tmp_path: Path) -> None:
    """SIGKILL at each of the syncs of a build: its files, manifest, draft and, once renamed, root; then none."""
    syncs = len(FILES) + 3
    command = [sys.executable, "-W", "ignore", "-c", KILLED_BUILDS, str(tmp_path), str(syncs + 1)]
    assert json.loads(subprocess.check_output(command)) == [-signal.SIGKILL] * syncs + [0]
    for step in range(syncs + 1):
        there = [folder for folder in (tmp_path / str(step)).iterdir() if not folder.name.startswith(".")]
        assert len(there) == (1 if step >= syncs - 1 else 0)
        assert all(list(load(folder, "tiny", 4).ids) == ["a"] for folder in there)
