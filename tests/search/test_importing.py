"""Article files of every kind are read; what is wrong is skipped with its place and reason."""

import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.article import Answer, Article
from search.importing import MAX_RECORD_BYTES, ImportRefused, ImportReport, read_articles, reasons, size_bytes
from search.records import Defaults, RecordError, article_from

FULL: dict[str, Any] = {
    "id": "router-light-red",
    "title": "Router light stays red after the power cut",
    "question": "Since the power cut the light is red.\nWhat now?",
    "author": "Sam",
    "answers": [
        {"author": "Lee", "text": "Same here.", "votes": 1},
        {
            "author": "Dana K.",
            "text": "Hold the reset pin for ten seconds. Then wait two minutes.\n1. Find the pin.",
            "votes": 12,
            "accepted": True,
        },
    ],
    "votes": 41,
    "url": "https://community.lumora.example/t/router-light-red",
    "tags": ["Internet", "router"],
    "language": "en",
    "licence": "CC BY 4.0",
    "name_authors": True,
}


def read(path: Path, defaults: Defaults | None = None) -> tuple[list[Article], ImportReport]:
    report = ImportReport()
    return list(read_articles(path, report, defaults)), report


def jsonl(folder: Path, *records: object) -> Path:
    path = folder / "articles.jsonl"
    path.write_text("\n".join(json.dumps(record) for record in records), "utf-8")
    return path


def test_a_whole_record_is_read(tmp_path: Path) -> None:
    articles, report = read(jsonl(tmp_path, FULL))
    assert articles == [
        Article(
            id="router-light-red",
            title="Router light stays red after the power cut",
            question="Since the power cut the light is red.\nWhat now?",
            answers=(
                Answer("Same here.", "Lee", 1, False),
                Answer(FULL["answers"][1]["text"], "Dana K.", 12, True),
            ),
            author="Sam",
            votes=41,
            url="https://community.lumora.example/t/router-light-red",
            tags=("internet", "router"),
            language="en",
            licence="CC BY 4.0",
            name_authors=True,
            short="Hold the reset pin for ten seconds. Then wait two minutes.",
        )
    ]
    assert (report.kept, report.skipped, report.bytes_read) == (1, [], size_bytes(tmp_path / "articles.jsonl"))


def test_a_body_of_questions_and_answers_is_taken_apart(tmp_path: Path) -> None:
    body = "Q: No light.\nAt all.\nA: Plug it in. Wait a minute then.\nA: Buy a new one."
    (article,), _ = read(jsonl(tmp_path, {"id": "a", "title": "T", "body": body}))
    assert article.question == "No light.\nAt all."
    assert [answer.text for answer in article.answers] == ["Plug it in. Wait a minute then.", "Buy a new one."]
    assert article.accepted == article.answers[0]
    assert article.short == "Plug it in. Wait a minute then."


def test_a_body_without_marks_is_one_answer(tmp_path: Path) -> None:
    (article,), _ = read(jsonl(tmp_path, {"id": "a", "title": "T", "body": "Turn it off and on again."}))
    assert article.answers == (Answer("Turn it off and on again.", accepted=True),)


def test_an_article_without_an_accepted_answer_is_not_spoken(tmp_path: Path) -> None:
    answers = [{"text": "Turn it off and on again, twice."}]
    (article,), _ = read(jsonl(tmp_path, {"id": "a", "title": "T", "answers": answers}))
    assert (article.accepted, article.short) == (None, None)


def test_only_the_first_of_two_accepted_answers_counts(tmp_path: Path) -> None:
    answers = [{"text": text, "accepted": True} for text in ("One.", "Two.")]
    (article,), _ = read(jsonl(tmp_path, {"id": "a", "title": "T", "answers": answers}))
    assert [answer.accepted for answer in article.answers] == [True, False]


def test_defaults_hold_for_what_a_record_does_not_say(tmp_path: Path) -> None:
    path = jsonl(
        tmp_path,
        {"id": "a", "title": "T", "body": "B"},
        {"id": "b", "title": "T", "body": "B", "language": "pt-BR"},
    )
    articles, _ = read(path, Defaults("es", "CC0"))
    assert [(one.language, one.licence) for one in articles] == [("es", "CC0"), ("pt", "CC0")]


BAD: list[tuple[dict[str, Any] | str, str]] = [
    ("{not json", "is not valid JSON"),
    ("[" * 100_000, "nested too deeply"),
    ('{"id": 1' + "0" * 5000 + "}", "a number is too long"),
    ("[1, 2]", "not an object"),
    ("null", "not an object"),
    ({**FULL, "id": None}, "has no id"),
    ({**FULL, "id": "a b"}, "id is not 1 to 80 letters"),
    ({**FULL, "id": "x" * 81}, "id is not 1 to 80 letters"),
    ({**FULL, "id": 10**30}, "id is not a text"),
    ({**FULL, "id": True}, "id is not a text"),
    ({**FULL, "id": 7.0}, "id is not a text"),
    ({**FULL, "title": "  "}, "has no title"),
    ({**FULL, "title": "x" * 501}, "title is longer than 500 characters"),
    ({**FULL, "title": "a\x00b"}, "title holds the character U+0000"),
    ({**FULL, "question": "a\ud800b"}, "question holds the character U+D800"),
    ({**FULL, "question": ["a"]}, "question is not a text"),
    ({**FULL, "answers": []}, "has no answer"),
    ({**FULL, "answers": {}}, "has no answer"),
    ({**FULL, "answers": {"text": "x"}}, "answers is not a list"),
    ({**FULL, "answers": "{"}, "answers is not valid JSON"),
    ({**FULL, "answers": ["x"]}, "an answer is not an object"),
    ({**FULL, "answers": [{"text": ""}]}, "an answer has no text"),
    ({**FULL, "answers": [{"text": "x"}] * 51}, "answers is not a list of at most 50"),
    ({**FULL, "answers": [{"text": "x", "accepted": "maybe"}]}, "accepted is neither true nor false"),
    ({**FULL, "votes": "many"}, "votes is not a whole number"),
    ({**FULL, "votes": True}, "votes is not a whole number"),
    ({**FULL, "votes": 1.5}, "votes is not a whole number"),
    ({**FULL, "votes": 10**30}, "votes is not a whole number"),
    ({**FULL, "url": "javascript:alert(1)"}, "url is not a web address"),
    ({**FULL, "url": "http://["}, "url is not a web address"),
    ({**FULL, "url": "https://?a"}, "url is not a web address"),
    ({**FULL, "url": 'https://x.example/\n"onload'}, "url is not a web address"),
    ({**FULL, "tags": 5}, "tags is neither a list nor a text"),
    ({**FULL, "tags": [["a"]]}, "tags are not at most 50 short words"),
    ({**FULL, "tags": ["x" * 61]}, "tags are not at most 50 short words"),
    ({**FULL, "language": "english"}, "language is not a code"),
    ({**FULL, "name_authors": "perhaps"}, "name_authors is neither true nor false"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD)
def test_a_bad_record_is_skipped_with_its_line_and_reason(
    tmp_path: Path, bad: dict[str, Any] | str, reason: str
) -> None:
    path = tmp_path / "articles.jsonl"
    line = bad if isinstance(bad, str) else json.dumps(bad)
    path.write_text(f"{json.dumps(FULL)}\n\n{line}\n", "utf-8")
    articles, report = read(path)
    assert [article.id for article in articles] == ["router-light-red"]
    assert [skipped.where for skipped in report.skipped] == ["line 3"]
    assert reason in report.skipped[0].reason


def test_an_id_may_be_a_number_and_is_its_text(tmp_path: Path) -> None:
    path = jsonl(tmp_path, {**FULL, "id": 118}, {**FULL, "id": "118"})
    articles, report = read(path)
    assert [one.id for one in articles] == ["118"]
    assert [one.reason for one in report.skipped] == ["id 118 is already used in line 1"]
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.md").write_text(f"---\nid: 0x{'f' * 8000}\ntitle: T\n---\nAn answer.\n")
    (folder / "b.md").write_text("---\nid: 119\ntitle: T\n---\nAn answer.\n")
    articles, report = read(folder)
    assert [one.id for one in articles] == ["119"]
    assert [one.reason for one in report.skipped] == ["id is not a text"]


def test_an_id_counts_once_and_the_second_is_told_where_the_first_is(tmp_path: Path) -> None:
    articles, report = read(jsonl(tmp_path, FULL, {**FULL, "title": "Other"}))
    assert [article.title for article in articles] == [FULL["title"]]
    assert report.skipped[0].reason == "id router-light-red is already used in line 1"


def test_a_line_of_ten_megabytes_is_skipped_and_the_next_one_read(tmp_path: Path) -> None:
    path = jsonl(tmp_path, {**FULL, "id": "big", "title": "x" * 10_000_000}, FULL)
    articles, report = read(path)
    assert [article.id for article in articles] == ["router-light-red"]
    assert report.skipped[0].where == "line 1"
    assert report.skipped[0].reason == f"is longer than {MAX_RECORD_BYTES} bytes"
    assert report.bytes_read == size_bytes(path)


def test_control_characters_become_spaces(tmp_path: Path) -> None:
    (article,), _ = read(jsonl(tmp_path, {"id": "a", "title": "T\x07 one\r\n", "body": "B\x01\x7fC\r\nD"}))
    assert (article.title, article.answers[0].text) == ("T one", "B  C\nD")


def test_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "articles.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(FULL).encode())
    assert len(read(path)[0]) == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b"", "holds no valid article"),
        ("a.jsonl", b"{}\n{}", "line 1 has no answer; line 2 has no answer"),
        ("a.jsonl", '{"id": "é"}'.encode("latin-1"), "line 1 is not UTF-8"),
        ("a.jsonl", json.dumps(FULL).encode("utf-16"), "is not UTF-8"),
        ("a.csv", b"name,text\n1,2\n", "no columns id and title"),
        ("a.csv", b"", "no columns id and title"),
        ("a.csv", "id,title,body\n1,\xe9,b".encode("latin-1"), "line 2 is not UTF-8"),
        ("a.csv", b"id,title,body\r1,T,b\r", "has a first line that is not CSV"),
        ("a.csv", b'id,"title,body\n1,T,b\n', "has a first line that is not CSV"),
        ("a.csv", b"id,title\n" + b"x" * (MAX_RECORD_BYTES + 5), "not a CSV of articles"),
        ("a.txt", b"hello", "no known kind"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_whole(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ImportRefused, match=message):
        read(path)


def test_a_folder_without_an_article_says_what_is_read_and_how_much_was_skipped(tmp_path: Path) -> None:
    (tmp_path / "articles.jsonl").write_text(json.dumps(FULL), "utf-8")
    with pytest.raises(ImportRefused, match=r"files that end in \.md are read; name any other file by itself"):
        read(tmp_path)
    for name in "abcde":
        (tmp_path / f"{name}.md").write_text("# No front matter", "utf-8")
    with pytest.raises(ImportRefused, match=r"c\.md does not begin with front matter .*; and 2 more$"):
        read(tmp_path)


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for ask in (size_bytes, lambda path: read(path)):
        with pytest.raises(ImportRefused, match="neither a file nor a folder"):
            ask(tmp_path / "missing.jsonl")


def test_csv_has_the_same_columns(tmp_path: Path) -> None:
    path = tmp_path / "articles.csv"
    path.write_text(
        "id,title,body,answers,votes,tags,name_authors,language\n"
        'a,"Light, red","Q: Why?\nA: Because it is so, my friend.",,7,"router; internet",no,\n'
        'b,Luz roja,,"[{""text"": ""Espera un minuto y reinicia."", ""accepted"": true}]",,,yes,es\n'
        "c,Short row\n"
        "d,Long row,body,,,,,,too,many\n",
        "utf-8",
    )
    articles, report = read(path)
    assert [(one.id, one.votes, one.tags, one.name_authors, one.language) for one in articles] == [
        ("a", 7, ("router", "internet"), False, "en"),
        ("b", 0, (), True, "es"),
    ]
    assert articles[0].question == "Why?"
    assert articles[1].short == "Espera un minuto y reinicia."
    assert [(one.where, one.reason) for one in report.skipped] == [
        ("line 5", "has no answer"),
        ("line 6", "has more fields than the first line"),
    ]


def test_names_of_columns_are_known_in_any_letters(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("ID, Title,BODY\n7,Red light,Hold the pin.\n")
    [article] = read(path)[0]
    assert (article.id, article.title, article.answers[0].text) == ("7", "Red light", "Hold the pin.")


def test_csv_goes_on_after_a_broken_row(tmp_path: Path) -> None:
    path = tmp_path / "articles.csv"
    path.write_text('id,title,body\na,T,B one\nb,"T"x,B\nc,T,B two\n', "utf-8")
    articles, report = read(path)
    assert [article.id for article in articles] == ["a", "c"]
    assert report.skipped[0].where == "line 3"
    assert "is not valid CSV" in report.skipped[0].reason


def test_a_folder_of_markdown_is_read(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "red light.md").write_text(
        "---\ntitle: Red light\nauthor: Dana K.\ntags: [router, wifi]\nlanguage: en\nvotes: 4\n"
        "url: https://community.lumora.example/t/x\nname_authors: true\n---\n"
        "**Hold** the reset pin for ten seconds.\n\n## Steps\n- see [the map](https://x.example/map)\n",
        "utf-8",
    )
    (tmp_path / "b.md").write_text("no front matter", "utf-8")
    (tmp_path / "c.md").write_text("---\ntitle: [broken\n---\nText", "utf-8")
    (tmp_path / "d.md").write_text("---\n- a\n---\nText", "utf-8")
    (tmp_path / "e.md").write_text("---\ntitle: Empty\n---\n", "utf-8")
    (tmp_path / "g.md").write_bytes(b"---\ntitle: \xe9\n---\nText")
    (tmp_path / "f.md").write_text("---\ntitle: Big\n---\n" + "x" * MAX_RECORD_BYTES, "utf-8")
    (tmp_path / "link.md").symlink_to("/etc/hostname")
    (tmp_path / "notes.txt").write_text("not ours", "utf-8")
    articles, report = read(tmp_path)
    assert len(articles) == 1
    assert (articles[0].id, articles[0].title, articles[0].votes) == ("deep-red-light", "Red light", 4)
    assert articles[0].answers == (
        Answer(
            "Hold the reset pin for ten seconds.\n\nSteps\n- see the map (https://x.example/map)",
            "Dana K.",
            0,
            True,
        ),
    )
    assert articles[0].short == "Hold the reset pin for ten seconds. Steps."
    assert [(one.where, one.reason) for one in report.skipped] == [
        ("b.md", "does not begin with front matter between two lines of ---"),
        ("c.md", "its front matter is not valid YAML"),
        ("d.md", "its front matter has no names and values"),
        ("e.md", "has no answer"),
        ("f.md", f"is longer than {MAX_RECORD_BYTES} bytes"),
        ("g.md", "is not UTF-8"),
    ]


def test_reasons_are_counted_most_frequent_first(tmp_path: Path) -> None:
    _, report = read(jsonl(tmp_path, FULL, {**FULL, "title": ""}, FULL, FULL))
    assert list(reasons(report.skipped).items()) == [("id is already used", 2), ("has no title", 1)]


NAMES = ["id", "title", "question", "author", "answers", "body", "votes", "url", "tags", "language", "licence"]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*NAMES, "text", "accepted"]) | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=12,
)


@settings(deadline=None)  # a busy machine is no failure
@given(st.one_of(ANYTHING, st.dictionaries(st.sampled_from(NAMES), ANYTHING)))
def test_any_record_becomes_an_article_or_a_reason(record: object) -> None:
    try:
        article = article_from(record, Defaults())
    except RecordError:
        return
    assert article.answers
    assert article.title
    assert "\x00" not in (article.title + article.question + article.url)
    json.dumps(asdict(article), ensure_ascii=False).encode("utf-8")


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.binary(max_size=200), max_size=20))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    for name in ("a.jsonl", "a.csv", "a.md"):
        (folder / name).write_bytes(b"id,title,body\n" + b"\n".join(lines))
    for path in (folder / "a.jsonl", folder / "a.csv", folder):
        with suppress(ImportRefused):
            assert read(path)[0]
