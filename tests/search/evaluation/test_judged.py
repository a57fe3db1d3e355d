"""Reading a judged set, and refusing what is none."""

import json
from pathlib import Path

import pytest

from search.evaluation.judged import SetError, read_set

ARTICLES = [
    {"id": "a1", "title": "Router light is red", "body": "Q: It is red.\nA: Reset it."},
    {"id": "a2", "title": "No sound", "body": "Turn it up."},
    {"id": "a3", "title": "Nothing to say"},
]


def write(folder: Path, **files: str) -> Path:
    folder.mkdir()
    content = {
        "articles.jsonl": "\n".join(map(json.dumps, ARTICLES)),
        "queries.jsonl": json.dumps(
            {"id": "q1", "text": "red light", "menu_path": "Internet > Router", "nbest": ["red"]}
        )
        + "\n"
        + json.dumps({"id": "q2", "text": "pizza"}),
        "qrels.tsv": "q1\ta1\t1\nq1\tgone\t1\nq2\ta2\t0",
        "labels.tsv": "q1\t1\tanswerable\nq2\t0\toos_far",
    } | {name.replace("__", "."): text for name, text in files.items()}
    for name, text in content.items():
        (folder / name).write_text(text, "utf-8")
    return folder


def test_a_set_is_read(tmp_path: Path) -> None:
    judged = read_set(write(tmp_path / "mine"))
    assert (judged.name, [article.id for article in judged.articles], judged.skipped) == ("mine", ["a1", "a2"], 1)
    red, pizza = judged.queries
    assert (red.query.path, red.query.transcript, red.query.nbest) == (("Internet", "Router"), "red light", ("red",))
    assert (red.relevant, red.answerable, red.path) == (frozenset({"a1"}), True, "Internet Router")
    assert (pizza.relevant, pizza.answerable, pizza.kind) == (frozenset(), False, "oos_far")


def test_without_labels_what_has_an_article_is_answerable(tmp_path: Path) -> None:
    folder = write(tmp_path / "mine")
    (folder / "labels.tsv").unlink()
    assert [one.answerable for one in read_set(folder).queries] == [True, False]


def test_articles_may_be_those_of_another_set(tmp_path: Path) -> None:
    write(tmp_path / "mine")
    spoken = write(tmp_path / "spoken", articles__jsonl="../mine/articles.jsonl")
    assert len(read_set(spoken).articles) == 2


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("articles__jsonl", "{", "cannot be read"),
        ("articles__jsonl", "[]", "not a JSON object"),
        ("articles__jsonl", "", "no usable article"),
        ("queries__jsonl", "", "no query"),
        ("queries__jsonl", '{"id": 1}', "no id or no text"),
        ("qrels__tsv", "q1\ta1", "2 columns"),
        ("labels__tsv", "q1", "1 columns"),
    ],
)
def test_what_is_no_set_is_refused_in_words(tmp_path: Path, name: str, text: str, told: str) -> None:
    with pytest.raises(SetError, match=told):
        read_set(write(tmp_path / "mine", **{name: text}))


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetError, match="not a folder"):
        read_set(tmp_path / "none")
