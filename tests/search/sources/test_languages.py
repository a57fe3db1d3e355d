"""Languages are told apart on what communities really write."""

import pytest

from search.sources.languages import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Router light stays red\nHold the reset pin for ten seconds.", "en"),
        ("Where is my bill? Open the app and tap Account.", "en"),
        ("Netflix error M7111\nClear the cookies of the site and sign in again.", "en"),
        ("No tengo internet", "es"),
        ("La luz del router\nMantén pulsado el botón diez segundos.", "es"),
        ("¿Dónde está mi factura? Abre la aplicación y toca Cuenta.", "es"),
        ("Reset del modem\nDesenchufa el cable y espera un minuto.", "es"),
        ("Como mudo a minha senha? Não consigo entrar na conta.", "pt"),
        ("Je voudrais changer mon mot de passe, comment faire ?", "fr"),
        ("Wie ändere ich mein Passwort? Ich komme nicht hinein.", "de"),
        ("Com canvio la contrasenya? No puc entrar al meu compte", "ca"),
        ("密码忘记了怎么办", "zh"),
    ],
)
def test_the_language_is_known(text: str, language: str) -> None:
    assert language_of(text, "xx") == language


@pytest.mark.parametrize("text", ["", "wifi", "12345 404", "\ud800\x00", "Netflix", "!!!" * 1000])
def test_too_little_text_is_in_the_language_of_its_source(text: str) -> None:
    assert language_of(text, "es") == "es"
