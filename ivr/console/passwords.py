"""Passwords: which are good enough, and how they are kept (argon2id)."""

import re
import threading
import unicodedata
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ivr.console.errors import Sentence, sentence

LEAST_LETTERS, MOST_LETTERS = 12, 256
LEAST_DIFFERENT = 5
#: OWASP's second choice of argon2id's parameters with a pass more; one lane, for calls are answered on the same cores
_HASHER = PasswordHasher(time_cost=2, memory_cost=47_104, parallelism=1)
_ONE_AT_A_TIME = threading.BoundedSemaphore(1)  # a flood of tries takes one core at most,
_AT_THE_DOOR = threading.BoundedSemaphore(3)  # and few of the threads that answer calls
WAIT_S = 5.0

_RUNS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "azertyuiop",
         "1qaz2wsx3edc4rfv5tgb6yhn", "q1w2e3r4t5y6u7i8o9p0", "1q2w3e4r5t6y7u8i9o0p")  # fmt: skip
_PLAIN = str.maketrans("@4310$57!|", "aaeiossti" + "i")


class Busy(Exception):
    """Too many passwords are being looked at."""


def problem(password: str, *about: str) -> Sentence | None:
    """What is wrong with a new password, None when it will do. `about`: what is known of the person (name, address)."""
    if len(password) < LEAST_LETTERS:
        return sentence(
            "At least %(least)s letters, please: four words that have nothing in common do well.", least=LEAST_LETTERS
        )
    if len(password) > MOST_LETTERS:
        return sentence("At most %(most)s letters, please.", most=MOST_LETTERS)
    if len(set(password.casefold())) < LEAST_DIFFERENT:
        return sentence("Too few different letters.")
    if _left_over(password, about) < LEAST_DIFFERENT:
        return sentence(
            "This is among the first that anyone would try: common words, rows of keys or your own name."
            " Add something of your own."
        )
    return None


def _left_over(password: str, about: tuple[str, ...]) -> int:
    """How many letters are left when all that is common is taken out, the better reading of "p4ssw0rd" counts."""
    plain = unicodedata.normalize("NFKC", password).casefold()
    return min(_without_common(plain, about), _without_common(plain.translate(_PLAIN), about))


def _without_common(text: str, about: tuple[str, ...]) -> int:
    own = [part for words in about for part in re.split(r"[\W_]+", words.casefold()) if len(part) > 2]
    for word in sorted({*_common(), *own}, key=len, reverse=True):
        text = text.replace(word, " ")
    for run in _RUNS:
        for row in (run, run[::-1]):
            for size in range(len(row), 2, -1):
                for start in range(len(row) - size + 1):
                    text = text.replace(row[start : start + size], " ")
    text = re.sub(r"(.+?)\1{2,}", " ", text)  # the same again and again
    text = re.sub(r"\d+|[\W_]+", " ", text)  # years, and what is hung on at the end
    return len(text.replace(" ", ""))


@cache
def _common() -> tuple[str, ...]:
    return tuple((Path(__file__).parent / "common.txt").read_text("utf-8").split())


def hashed(password: str) -> str:
    """The password as it is kept. Raises Busy."""
    with _Turn():
        return _HASHER.hash(_normal(password))


def fits(kept: str | None, password: str) -> bool:
    """Whether this is the password. Takes as long when there is none. Raises Busy."""
    with _Turn():
        try:
            return _HASHER.verify(kept or _nobodys(), _normal(password)) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(kept: str) -> bool:
    """Whether it was hashed with other parameters than are in use now."""
    return _HASHER.check_needs_rehash(kept)


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)[: MOST_LETTERS * 4]


@cache
def _nobodys() -> str:
    return _HASHER.hash("the password of nobody")


class _Turn:
    """One hash at a time in a process. Nobody holds a connection of the pool meanwhile: calls need them."""

    def __enter__(self) -> None:
        if not _AT_THE_DOOR.acquire(blocking=False):
            raise Busy
        if not _ONE_AT_A_TIME.acquire(timeout=WAIT_S):
            _AT_THE_DOOR.release()
            raise Busy

    def __exit__(self, *_: object) -> None:
        _ONE_AT_A_TIME.release()
        _AT_THE_DOOR.release()
