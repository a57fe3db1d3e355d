"""What is read to a caller is plain words from the beginning of the accepted answer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.speakable import (
    MAX_SHORT_WORDS,
    short_version,
    speakable,
    speakable_name,
    spoken_title,
)


@pytest.mark.parametrize(
    ("answer", "short"),
    [
        (
            "Hold the pin for ten seconds. Then wait two minutes.\n1. Find the pin.\n2. Push it.",
            "Hold the pin for ten seconds. Then wait two minutes.",
        ),
        ("Hi Bob,\nunplug it for thirty seconds, that cured mine.", "Unplug it for thirty seconds, that cured mine."),
        ("Hello! Thanks for asking. Unplug it for thirty seconds.", "Unplug it for thirty seconds."),
        ("Go to Settings > Accounts and turn **sync** on", "Go to Settings, Accounts and turn sync on."),
        (
            "It took 2.5 minutes, e.g. on a Monday. Restart the box first.",
            "It took 2.5 minutes, e.g. on a Monday. Restart the box first.",
        ),
        ("Turn the router off and on. Then run `ipconfig`.", "Turn the router off and on."),
        (
            "Turn the router off and on\nWait for the green light",
            "Turn the router off and on. Wait for the green light.",
        ),
        ("Hola. Apaga el router y espera medio minuto. ¡Listo!", "Apaga el router y espera medio minuto. ¡Listo!"),
        ("Turn the router off and on. Do this next:\n- one\n- two", "Turn the router off and on."),
    ],
)
def test_the_short_version_is_the_beginning_in_whole_sentences(answer: str, short: str) -> None:
    assert short_version(answer) == short


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "   \n",
        "Thanks!",
        "Restart it.",
        "Run `ipconfig /all` and then restart the router.",
        "See above for the steps that worked for me.",
        "As shown below, you have to change the channel.",
        "Look at the screenshot I made of the settings page.",
        "Read this article, it explains how to do it all.",
        "The steps are at https://community.lumora.example/t/x and they work.",
        "Write to help@lumora.example and they reset it for you.",
        "Have you tried to restart the router and the modem?",
        "That happens a lot lately to all of us. Which version do you have?",
        "Set it to 192.168.0.1 and restart the router after that.",
        "Do the following and report back to us here:\n1. Restart.",
        "1. Unplug the router.\n2. Wait thirty seconds.",
        "<p>Restart the router</p> and wait until it is green.",
        "Open C:\\Windows\\System32 and delete the file there.",
        "Click here to see how the others have done it.",
        "Edit: never mind, it works again since this morning.",
        "Mira la captura que he puesto para ver los pasos.",
        "路由器的红灯一直亮着 请 重启 路由器 谢谢",
        "word " * 46,
    ],
)
def test_an_answer_that_cannot_be_spoken_has_no_short_version(answer: str) -> None:
    assert short_version(answer) is None


@settings(deadline=None)  # a busy machine is no failure
@given(st.text(max_size=600))
def test_any_short_version_is_short_and_speakable(answer: str) -> None:
    short = short_version(answer)
    if short is not None:
        assert len(short.split()) <= MAX_SHORT_WORDS
        assert speakable(short)
        assert short[-1] in ".!…"


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.sampled_from(["Restart it now.", "Wait!", "Why?", "see above", "e.g.", "\n- one", "\n", "x " * 30])))
def test_sentences_are_never_cut(parts: list[str]) -> None:
    short = short_version(" ".join(parts))
    if short is not None:
        assert len(short.split()) <= MAX_SHORT_WORDS
        assert "above" not in short
        assert "- one" not in short


@pytest.mark.parametrize(
    ("title", "spoken"),
    [
        ("Router light stays red after the power cut", "Router light stays red after the power cut"),
        ("[SOLVED] Router light stays red!!! 😀", "Router light stays red"),
        ("Settings -> Wi-Fi -> off?", "Settings, Wi-Fi, off"),
        ("<b>Can't</b> log in / https://x.example", "Can't log in"),
        (
            "one two three four five six seven eight nine ten eleven the twelve",
            "one two three four five six seven eight nine ten eleven",
        ),
        ("¿Por qué no llega el correo?", "Por qué no llega el correo"),
        ("路由器", ""),
        ("😀😀", ""),
        ("", ""),
        ("\ud800\x00\u202eback", "back"),
    ],
)
def test_a_title_is_spoken_as_words(title: str, spoken: str) -> None:
    assert spoken_title(title) == spoken


@settings(deadline=None)  # a busy machine is no failure
@given(st.text(max_size=300), st.integers(1, 12))
def test_a_spoken_title_never_exceeds_its_words(title: str, most: int) -> None:
    spoken = spoken_title(title, most)
    assert len(spoken.split()) <= most
    assert not set(spoken) & set('<>*_`"\x00')


@pytest.mark.parametrize(
    "name",
    ["Dana K.", "José Ángel", "Siobhán O'Brien", "Anne-Marie", "Priya", "bob", "Ana de la Cruz", "Nguyễn Văn An"],
)
def test_a_name_that_reads_as_one_can_be_said(name: str) -> None:
    assert speakable_name(name)


HANDLES = "xX_net99_Xx|router guy 7|xkcd|| |Zzzz|李雷|a|DANA|@dana|Bob😀|one two three four five|\ud800|" + "A" * 41


@pytest.mark.parametrize("name", HANDLES.split("|"))
def test_a_handle_is_not_said(name: str) -> None:
    assert not speakable_name(name)
