"""What posts say, out of the HTML of Discourse, Stack Exchange and mail programs, and out of hostile HTML."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.sources.cleaning import clean_html, clean_line, clean_text, plain
from search.sources.markup import MAX_CODE_LINES, MAX_TEXT

DISCOURSE = """<p>Hi <a class="mention" href="/u/sam">@sam</a>,</p>
<aside class="quote no-group" data-username="sam" data-post="1"><div class="title">sam:</div>
<blockquote><p>the light stays red</p></blockquote></aside>
<p>do this:</p>
<ol><li><p>Open <b>Settings</b> &gt; <kbd>Wi-Fi</kbd></p><ul><li>on the phone</li><li>or the tablet</li></ul></li>
<li>Read <a href="/t/reset/9">how to reset</a>, or <a href="https://x.example/a">https://x.example/a</a></li></ol>
<p>Old: <s>hold ten seconds</s> hold twenty.<br>Then wait.</p>
<div class="lightbox-wrapper"><a href="/i.png"><img src="/i.png"><div class="meta"><span class="filename">i.png</span>
<span class="informations">800×600 20 KB</span></div></a></div>
<p>Hope this helps!</p><p>Best regards,<br>Dana K.</p><script>alert(1)</script>"""


def test_a_discourse_post_gives_its_steps_and_nothing_around_them() -> None:
    assert clean_html(DISCOURSE, "https://c.example/t/light/7") == (
        "Do this:\n\n"
        "1. Open Settings > Wi-Fi\n"
        "  - on the phone\n"
        "  - or the tablet\n"
        "2. Read how to reset (https://c.example/t/reset/9), or https://x.example/a\n\n"
        "Old: hold twenty.\nThen wait."
    )


def test_code_keeps_its_lines_and_is_indented() -> None:
    html = "<p>Run:</p><pre><code>if x &lt; 1:\n\tprint(&quot;a  b&quot;)\n</code></pre><p>Done.</p>"
    assert clean_html(html) == 'Run:\n\n    if x < 1:\n        print("a  b")\n\nDone.'


def test_a_long_log_is_cut_with_a_mark() -> None:
    lines = clean_html("<pre>" + "\n".join(f"line {n}" for n in range(100)) + "</pre>").split("\n")
    assert len(lines) == MAX_CODE_LINES + 1
    assert lines[-1] == "    …"


def test_table_rows_stand_on_lines_of_their_own() -> None:
    html = "<table><tr><th>Light</th><th>Means</th></tr><tr><td>red</td><td>no line</td></tr></table>"
    assert clean_html(html) == "Light | Means\nred | no line"


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ('<div>New words</div><div class="gmail_quote">On Monday Bob wrote: old words</div>', "New words"),
        ('<p>New words</p><blockquote type="cite">old words</blockquote>', "New words"),
        ("<p>New words</p><details class='elided'><summary>···</summary>old words</details>", "New words"),
        ("<p>It says</p><blockquote><p>Error 7</p></blockquote>", "It says\n\nError 7"),
        ('<p>Seen <span hidden>not</span> <span style="display: none">nor this</span></p>', "Seen"),
        ('<p>See</p><aside class="onebox" data-onebox-src="https://x.example/b"><p>ad</p></aside>',
         "See\n\nhttps://x.example/b"),
        ('<a href="javascript:alert(1)">Press</a> <a href="#top">here</a>', "Press here"),
        ('<ol start="3"><li>three</li><li>four</li></ol>', "3. three\n4. four"),
    ],
)  # fmt: skip
def test_what_is_quoted_or_hidden_is_left_out_and_what_is_shown_stays(html: str, said: str) -> None:
    assert clean_html(html) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Hello everyone!\nMy router is dead. Thanks in advance!", "My router is dead."),
        ("Hi, the light is red", "The light is red"),
        ("Hola a todos:\nNo tengo internet.\nGracias de antemano,\nPepe", "No tengo internet."),
        ("Buenos días, no carga", "No carga"),
        ("Hi my router is dead", "Hi my router is dead"),
        ("Hey Siri, it said. It hears nothing", "Hey Siri, it said. It hears nothing"),
        ("Try this.\n-- \nJoe Bloggs\nAcme Ltd", "Try this."),
        ("It works.\nSent from my iPhone", "It works."),
        ("Yes.\nOn Mon, Bob wrote:\n> old\n> older\nIt blinks.", "Yes.\nIt blinks."),
        ("Reset it.\n-----Original Message-----\nFrom: Bob", "Reset it."),
        ("Thanks!", "Thanks!"),
        ("> only a quote", "> only a quote"),
        ("@dana try the other cable", "Try the other cable"),
        ("Reset it.\nDana", "Reset it.\nDana"),
    ],
)
def test_greetings_quotes_and_signatures_are_taken_off_but_never_everything(text: str, said: str) -> None:
    assert clean_text(text) == said


def test_what_is_no_text_is_taken_out() -> None:
    assert plain("a\x00b\ud800c\u202ed\u00ade\r\nf\u00a0g cafe\u0301") == "abcde\nf g café"
    assert clean_html("<p>a\x00b\udfffc</p>") == "abc"


def test_a_meta_charset_in_the_text_changes_nothing() -> None:
    assert clean_html('<meta charset="latin-1"><p>café ñandú 密码</p>') == "café ñandú 密码"


@pytest.mark.parametrize(
    ("title", "line"),
    [
        ("a &amp; b <b>x</b><script>y()</script>", "a & b x"),
        ("5 < 6 and\n 7 > 6", "5 < 6 and 7 > 6"),
        ("vector<int> in a <template v-if='a<b'>", "vector<int> in a <template v-if='a<b'>"),
        ("x" * 10_000_000, "x" * 2000),
    ],
)
def test_a_title_is_one_line(title: str, line: str) -> None:
    assert clean_line(title) == line


@pytest.mark.parametrize(
    "html",
    [
        "<a " + " ".join(f"a{n}=1" for n in range(80_000)) + ">x",
        "<div>" * 200_000 + "x",
        "<b>a</i>" * 100_000,
        "".join(f"<b id={n}>" for n in range(20_000)) + "</p><p>x" * 20_000,
        "<table><a>" * 50_000,
        "<li>x" * 200_000,
        "<" * 1_000_000,
        "&amp;" * 300_000,
        "<!--" * 300_000,
        "<pre>" + "\n" * 1_000_000,
        "hi " * 1_000_000,
        "@a " * 400_000,
        "Thanks\n" * 200_000,
        ("x" * 199 + "\n>\n") * 3_000,
    ],
    ids=range(14),
)
def test_hostile_html_is_bounded(html: str) -> None:
    start = time.process_time()
    texts = [clean_html(html), clean_text(html), clean_line(html)]
    assert time.process_time() - start < 6
    assert max(map(len, texts)) <= MAX_TEXT


PIECES = [*"<>/&;ab \n\x00\ud800\"'=!-?", "<p>", "<pre>", "</a>", "<ol><li>", "<td>", "> ", "<a href='//x y'>", "&#0;"]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_nothing_makes_cleaning_raise(text: str) -> None:
    for said in (clean_html(text), clean_text(text), clean_line(text)):
        assert plain(said) == said
