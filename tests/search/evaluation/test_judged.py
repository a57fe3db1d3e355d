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
        ("articles__jsonl", "{", r"articles.jsonl:1 is not JSON \(Expecting"),
        ("articles__jsonl", "[]", "not a JSON object"),
        ("articles__jsonl", "../none/articles.jsonl", "is not JSON"),
        ("articles__jsonl", "x" * 5000, "is not JSON"),
        ("articles__jsonl", "", "no usable article"),
        (
            "articles__jsonl",
            '\n{"id": "a1", "title": "No sound"}',
            r"usable article \(.*:2: has no answer",
        ),
        ("queries__jsonl", "", "no query"),
        ("queries__jsonl", '{"id": 1}', "queries.jsonl:1: a query has no id or no text"),
        ("queries__jsonl", '{"id": "1", "text": "a", "menu_path": ["Internet"]}', "menu_path is not a text"),
        ("queries__jsonl", '{"id": "1", "text": "a", "nbest": 5}', "nbest is not a list"),
        ("queries__jsonl", '{"id": "1", "text": "a", "language": "plain English"}', "not a code"),
        ("queries__jsonl", '\n{"id": "1", "text": "a"}\n{"id": "1", "text": "b"}', ":3: the id 1 is already used"),
        ("queries__jsonl", "[" * 100_000, "nested too deeply"),
        ("queries__jsonl", '{"id": ' + "9" * 5000 + "}", "number is too long"),
        ("qrels__tsv", "q1\ta1", "2 columns"),
        ("qrels__tsv", "q1\ta1\tyes", "'yes', not a number"),
        ("qrels__tsv", "q1\ta1\tnan", "not a number"),
        ("labels__tsv", "q1", "1 columns"),
        ("labels__tsv", "q1\ttrue", "'true', not 0 or 1"),
    ],
)
def test_what_is_no_set_is_refused_in_words(tmp_path: Path, name: str, text: str, told: str) -> None:
    with pytest.raises(SetError, match=told):
        read_set(write(tmp_path / "mine", **{name: text}))


def test_a_mark_at_the_beginning_of_a_file_costs_no_line(tmp_path: Path) -> None:
    folder = write(tmp_path / "mine")
    for file in folder.iterdir():
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n\r\n"))
    red, pizza = read_set(folder).queries
    assert (red.relevant, red.kind, pizza.answerable) == (frozenset({"a1"}), "answerable", False)


def test_ids_may_be_numbers_and_relevance_a_fraction(tmp_path: Path) -> None:
    articles = json.dumps({"id": 7, "title": "No sound", "body": "Turn it up."})
    query = json.dumps({"id": 1, "text": "no sound", "language": "en-US"})
    files = {"articles__jsonl": articles, "queries__jsonl": query, "qrels__tsv": "1\t7\t0.5", "labels__tsv": "1\t1"}
    (one,) = read_set(write(tmp_path / "mine", **files)).queries
    assert (one.id, one.relevant, one.query.language) == ("1", frozenset({"7"}), "en")


def test_questions_are_in_the_language_of_the_articles_where_there_is_one(tmp_path: Path) -> None:
    spanish, english = ({"id": code, "title": "T", "body": "B", "language": code} for code in ("es", "en"))
    alone = read_set(write(tmp_path / "alone", articles__jsonl=json.dumps(spanish)))
    assert [one.query.language for one in alone.queries] == ["es", "es"]
    both = read_set(write(tmp_path / "both", articles__jsonl=f"{json.dumps(spanish)}\n{json.dumps(english)}"))
    assert [one.query.language for one in both.queries] == ["en", "en"]


def test_judgements_of_what_is_not_there_are_counted(tmp_path: Path) -> None:
    folder = write(tmp_path / "mine", qrels__tsv="q1\ta1\t1\nq1\tgone\t1\nq9\ta1\t1\nq2\ta3\t0")
    assert read_set(folder).unknown == 2


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetError, match="not a folder"):
        read_set(tmp_path / "none")
