"""Stack Exchange dumps, as the network publishes them, and broken ones."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from search.sources.source import RawAnswer, SourceError
from search.sources.stack_exchange import StackExchange
from tests.search.sources.site import place, pull_files, raws

HEAD = '\ufeff<?xml version="1.0" encoding="utf-8"?>\n<posts>\n'
QUESTION = (
    '  <row Id="7" PostTypeId="1" AcceptedAnswerId="12" CreationDate="2024-03-01T10:00:00.000" Score="5" '
    'ViewCount="90" Body="&lt;p&gt;The light is &lt;b&gt;red&lt;/b&gt;.&lt;/p&gt;&#xA;" OwnerUserId="3" '
    'LastActivityDate="2024-03-04T10:00:00.000" Title="Router light stays red" Tags="&lt;router&gt;&lt;wi-fi&gt;" '
    'AnswerCount="2" ContentLicense="CC BY-SA 4.0" />\n'
)
ACCEPTED = (
    '  <row Id="12" PostTypeId="2" ParentId="7" CreationDate="2024-03-02T10:00:00.000" Score="8" '
    'Body="&lt;p&gt;Hold the pin.&lt;/p&gt;" OwnerUserId="4" ContentLicense="CC BY-SA 4.0" />\n'
)
OTHER = (
    '  <row Id="13" PostTypeId="2" ParentId="7" CreationDate="2024-03-03T10:00:00.000" Score="-1" '
    'Body="&lt;p&gt;Buy another.&lt;/p&gt;" OwnerDisplayName="user99" ContentLicense="CC BY-SA 3.0" />\n'
)
UNANSWERED = '  <row Id="20" PostTypeId="1" CreationDate="2024-03-02T10:00:00.000" Title="No answer" Body="x" />\n'
TAG_WIKI = '  <row Id="30" PostTypeId="5" CreationDate="2024-03-02T10:00:00.000" Body="about routers" />\n'
USERS = '<?xml version="1.0"?>\n<users><row Id="3" DisplayName="Sam" /><row Id="4" DisplayName="Dana" /></users>'


def dump(folder: Path, *rows: str, head: str = HEAD, end: str = "</posts>") -> str:
    (folder / "Posts.xml").write_text(head + "".join(rows) + end, "utf-8")
    return str(folder)


def test_a_question_comes_with_its_answers_authors_licences_and_link(tmp_path: Path) -> None:
    (tmp_path / "Users.xml").write_text(USERS, "utf-8")
    where = dump(tmp_path, QUESTION, ACCEPTED, OTHER, UNANSWERED, TAG_WIKI)
    [batch] = pull_files(StackExchange(place(where, site="superuser.com")))
    [raw] = raws(batch)
    assert batch.listing == frozenset({"7"})
    assert (raw.id, raw.url, raw.title) == ("7", "https://superuser.com/questions/7", "Router light stays red")
    assert (raw.author, raw.licence, raw.tags) == ("Sam", "CC BY-SA 3.0, CC BY-SA 4.0", ("router", "wi-fi"))
    assert (raw.votes, raw.solved, raw.closed) == (5, True, False)
    assert raw.changed == datetime(2024, 3, 4, 10, tzinfo=UTC)
    assert raw.answers == (
        RawAnswer("<p>Hold the pin.</p>", "", "Dana", 8, True, datetime(2024, 3, 2, 10, tzinfo=UTC)),
        RawAnswer("<p>Buy another.</p>", "", "user99", -1, False, datetime(2024, 3, 3, 10, tzinfo=UTC)),
    )


def test_absent_columns_are_empty(tmp_path: Path) -> None:
    bare = '<row Id="1" PostTypeId="1" Title="Bare" /><row Id="2" PostTypeId="2" ParentId="1" Body="Answer" />'
    [batch] = pull_files(StackExchange(place(dump(tmp_path, bare))))
    [raw] = raws(batch)
    assert raw.id == "1"
    assert (raw.url, raw.author, raw.licence, raw.created, raw.solved) == ("", None, "CC BY-SA", None, False)


def test_a_closed_question_is_given_as_closed(tmp_path: Path) -> None:
    closed = QUESTION.replace("ViewCount", 'ClosedDate="2024-04-01T00:00:00.000" ViewCount')
    [batch] = pull_files(StackExchange(place(dump(tmp_path, closed, ACCEPTED))))
    assert [raw.closed for raw in raws(batch)] == [True]


def test_the_same_dump_is_not_read_twice_and_a_new_one_gives_what_changed_and_what_is_left(tmp_path: Path) -> None:
    second = QUESTION.replace('Id="7"', 'Id="8"', 1) + ACCEPTED.replace('Id="12"', 'Id="14"').replace('"7"', '"8"')
    where = dump(tmp_path, QUESTION, ACCEPTED, second)
    [first] = pull_files(StackExchange(place(where)))
    assert [raw.id for raw in raws(first)] == ["7", "8"]
    known = {raw.id: raw.version for raw in raws(first)}
    assert pull_files(StackExchange(place(where, known)), first.cursor)[0].changes == ()
    dump(tmp_path, QUESTION.replace('Score="5"', 'Score="6"'), ACCEPTED)
    [later] = pull_files(StackExchange(place(where, known)), first.cursor)
    assert [raw.id for raw in raws(later)] == ["7"]
    assert later.listing == frozenset({"7"})


def test_many_questions_come_in_batches_and_only_the_last_one_lists_them(tmp_path: Path) -> None:
    rows = (
        f'<row Id="{n}" PostTypeId="1" Title="T{n}" /><row Id="{n + 1000}" PostTypeId="2" ParentId="{n}" Body="A" />'
        for n in range(1, 451)
    )
    batches = pull_files(StackExchange(place(dump(tmp_path, *rows))))
    assert [len(batch.changes) for batch in batches] == [200, 200, 50]
    assert [batch.cursor is None for batch in batches] == [True, True, False]
    assert batches[-1].listing == frozenset({str(n) for n in range(1, 451)})


def test_a_row_without_a_number_is_left_out_and_told(tmp_path: Path) -> None:
    where = dump(tmp_path, QUESTION, ACCEPTED, '<row PostTypeId="1" Title="x" />', '<row Id="9" PostTypeId="2" />')
    [batch] = pull_files(StackExchange(place(where)))
    assert batch.skipped == ("row 3: has no number of its own", "row 4: answers nothing")


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE posts [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefgh", "bcdefghi", strict=True))
    + "]><posts>"
)
XXE = '<?xml version="1.0"?><!DOCTYPE posts [<!ENTITY x SYSTEM "file:///etc/passwd">]><posts>'


@pytest.mark.parametrize(
    ("rows", "head", "end", "reason"),
    [
        ('<row Id="1" PostTypeId="1" Title="&i;" />', LAUGHS, "</posts>", "declares a document type"),
        ('<row Id="1" PostTypeId="1" Title="t">&x;</row>', XXE, "</posts>", "declares a document type"),
        (QUESTION + ACCEPTED, HEAD, "", "broken or cut off"),
        (QUESTION + ACCEPTED[:90], HEAD, "", "broken or cut off"),
        ("", "<!doctype html><html><body>Not here", "</html>", "is no XML"),
        ("", "", "", "is no XML"),
        (QUESTION.replace("red", "r\x00d", 1), HEAD, "</posts>", "broken or cut off"),
        (QUESTION.replace("Router", "R" * 11_000_000, 1), HEAD, "</posts>", "broken or cut off"),
        (UNANSWERED, HEAD, "</posts>", "holds no question with an answer"),
    ],
    ids=["laughs", "xxe", "half", "half row", "html", "empty", "nul", "long title", "no answers"],
)
def test_a_broken_dump_gives_nothing_and_the_reason(
    tmp_path: Path, rows: str, head: str, end: str, reason: str
) -> None:
    with pytest.raises(SourceError, match=reason):
        pull_files(StackExchange(place(dump(tmp_path, rows, head=head, end=end))))


def test_bytes_that_are_no_utf_8_are_refused(tmp_path: Path) -> None:
    (tmp_path / "Posts.xml").write_bytes(
        HEAD.encode() + QUESTION.encode("utf-8").replace(b"red", b"r\xe9d") + b"</posts>"
    )
    with pytest.raises(SourceError, match="broken"):
        pull_files(StackExchange(place(str(tmp_path))))


def test_a_place_that_cannot_be_right_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="unpack it"):
        StackExchange(place("superuser.com.7z"))
    with pytest.raises(SourceError, match="named by its host"):
        StackExchange(place(str(tmp_path), site="https://superuser.com/"))
    with pytest.raises(SourceError, match="cannot be read"):
        pull_files(StackExchange(place(str(tmp_path))))
