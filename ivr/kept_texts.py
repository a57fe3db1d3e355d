"""How a text and its link stand in the database: the wording sealed, the link's token as a keyed hash. Who gets hold of
a dump opens no link and reads no text with it (docs/privacy.md).

Rows of a release that did not seal are read as they are. A database that has any is sealed by `flask privacy reseal`,
once no process of that release runs any more: it would send what it cannot read.
"""

from contextlib import suppress

from psycopg import Connection

from ivr.texts.links import TOKEN
from ivr.texts.numbers import SEALED, Numbers
from ivr.wiring import Wiring
from models import site, texts
from models.texts import NewText, Text

SEALING = "texts_sealed"  # in `site`: every process can read what is sealed


def sealing(wiring: Wiring, conn: Connection) -> bool:
    """Whether what is new is sealed."""
    wiring.seals_texts = wiring.seals_texts or site.get(conn, SEALING) is not None
    return wiring.seals_texts


def as_kept(wiring: Wiring, conn: Connection, new: NewText) -> NewText:
    """A text as it is to be stored."""
    if not sealing(wiring, conn):
        return new
    token, body = sealed(wiring.numbers, new.token, new.body)
    return new._replace(token=token, body=body)


def sealed(numbers: Numbers, token: str, body: str) -> tuple[str, str]:
    """Token and wording as columns hold them."""
    return numbers.token_key(token), numbers.hide(f"{token}\n{body}")


def anew(numbers: Numbers, token: str, body: str) -> tuple[str, str]:
    """Token and wording of a row, under the newest key. Raises ValueError when theirs is gone."""
    if not TOKEN.fullmatch(token):
        return token, numbers.rehide(body)
    key, hidden = sealed(numbers, token, body)
    return key, hidden if body else ""  # its wording was forgotten


def opened(wiring: Wiring, text: Text) -> Text:
    """A text with its token and wording, as long as they are kept. Raises ValueError when its key is gone."""
    if not text.body.startswith(SEALED):
        return text
    token, _, body = wiring.numbers.show(text.body).partition("\n")
    return text._replace(token=token, body=body)


def token_of(wiring: Wiring, text: Text) -> str | None:
    """The token of a text's link; None once its wording was forgotten, or its key is gone."""
    with suppress(ValueError):
        token = opened(wiring, text).token
        return token if TOKEN.fullmatch(token) else None
    return None


def by_token(wiring: Wiring, conn: Connection, token: str) -> Text | None:
    """The text behind a link, as it stands in the database."""
    return texts.by_token(conn, wiring.numbers.token_key(token), token)


def kept_reply(wiring: Wiring, conn: Connection, reply: str | None) -> str | None:
    """An answer to a text as it is to be stored: there may be a link in it."""
    return wiring.numbers.hide(reply) if reply and sealing(wiring, conn) else reply


def told_reply(wiring: Wiring, kept: str | None) -> str | None:
    """The answer as it was given; None as well once its key is gone."""
    with suppress(ValueError):
        return wiring.numbers.show(kept) if kept else None
    return None
