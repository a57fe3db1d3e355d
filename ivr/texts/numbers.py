"""Phone numbers: what kind the caller's is, whether a typed one can be used, and how numbers are kept.

`+1` is no country: region and type come from the numbering plans (+1 876 is Jamaica, +1 900 premium).
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from secrets import token_bytes

import phonenumbers
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from phonenumbers import PhoneNumberType as Type

from ivr.call.moment import NumberCheck
from ivr.call.state import CallerKind

#: Withheld callers arrive as words typed on a keypad: ANONYMOUS, UNAVAILABLE, UNKNOWN, BLOCKED, RESTRICTED, PRIVATE.
WITHHELD = frozenset({"+266696687", "+86282452253", "+8656696", "+2562533", "+7378742833", "+7748283"})
_WITHHELD_WORDS = re.compile(r"anonymous|unavailable|unknown|restricted|private|withheld|blocked", re.IGNORECASE)
_KINDS = {
    Type.MOBILE: CallerKind.MOBILE,
    Type.FIXED_LINE_OR_MOBILE: CallerKind.MOBILE,
    Type.FIXED_LINE: CallerKind.LANDLINE,
}
_NONCE = 12
SEALED = "sealed:"  # begins a text that is hidden, where others of the kind are not


@dataclass(frozen=True, slots=True)
class Classified:
    """A caller's number. `e164` None when it is no number one could call back."""

    kind: CallerKind
    e164: str | None = None
    region: str | None = None

    @property
    def has_number(self) -> bool:
        """Whether the caller can be known again by the number."""
        return self.e164 is not None


def _parsed(number: str, region: str | None = None) -> phonenumbers.PhoneNumber | None:
    try:
        found = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    return found if phonenumbers.is_valid_number(found) else None


def classify(from_: str, *, own: str, countries: Collection[str]) -> Classified:
    """What the From of a call is. `own` is the number that was called, `countries` those texts may go to.

    The sources of the deny list and of the words are captured requests; both pass a test for E.164.
    """
    caller = from_.strip()
    if caller.lower().startswith(("sip:", "sips:", "client:")):
        return Classified(CallerKind.SIP)
    if not caller or caller in WITHHELD or _WITHHELD_WORDS.search(caller):
        return Classified(CallerKind.WITHHELD)
    found = _parsed(caller) if caller.startswith("+") else None
    if found is None:
        return Classified(CallerKind.OTHER)
    e164 = phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)
    region = phonenumbers.region_code_for_number(found)
    kind = _KINDS.get(phonenumbers.number_type(found), CallerKind.OTHER)
    if region not in countries or e164 == own.strip():
        kind = CallerKind.OTHER
    return Classified(kind, e164, region)


def check_typed(digits: str, countries: Sequence[str], own: str = "") -> NumberCheck:
    """Whether digits keyed in by a caller are a mobile number of an allowed country, read as a national number of the
    first country that has it. Reasons: empty, not_a_number, country, not_mobile, own."""
    keyed = re.sub(r"\D", "", digits)
    if not keyed:
        return NumberCheck(None, "empty")
    valid = [found for region in countries if (found := _parsed(keyed, region)) is not None]
    if not valid:
        return NumberCheck(None, "not_a_number")
    here = [found for found in valid if phonenumbers.region_code_for_number(found) in countries]
    if not here:
        return NumberCheck(None, "country")
    mobile = next((one for one in here if _KINDS.get(phonenumbers.number_type(one)) is CallerKind.MOBILE), None)
    if mobile is None:
        return NumberCheck(None, "not_mobile")
    e164 = phonenumbers.format_number(mobile, phonenumbers.PhoneNumberFormat.E164)
    return NumberCheck(None, "own") if e164 == own else NumberCheck(e164, None)


def country(number: str) -> str:
    """The country of a number, as US; "" for no number."""
    found = _parsed(number)
    return (phonenumbers.region_code_for_number(found) or "") if found is not None else ""


def textable(number: str, countries: Collection[str]) -> tuple[bool, bool]:
    """(a kind of number that takes texts, in an allowed country)."""
    found = _parsed(number)
    if found is None:
        return False, False
    kind = _KINDS.get(phonenumbers.number_type(found))
    return kind is CallerKind.MOBILE, phonenumbers.region_code_for_number(found) in countries


def as_e164(number: str, countries: Sequence[str]) -> str | None:
    """A number as another system writes it, in E.164; without a plus it is a national number of the first country that
    has it. None for no number."""
    written = number.strip()
    regions: Sequence[str | None] = (None,) if written.startswith("+") else countries
    found = next((one for region in regions if (one := _parsed(written, region)) is not None), None)
    return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164) if found else None


def prefix(number: str) -> str:
    """Plus and the first seven digits of an E.164 number. Blocks of numbers that begin alike are bought and abused
    together: texts to them have a budget in common."""
    return number[:8]


class Numbers:
    """Numbers as the database holds them: a keyed hash for everything, sealed for delivery only."""

    def __init__(
        self, hash_key: bytes, encryption_keys: Sequence[bytes], noise: Callable[[int], bytes] = token_bytes
    ) -> None:
        """`encryption_keys` of 32 bytes: the first seals, all open. `noise` gives n random bytes.

        Raises ValueError without an encryption key.
        """
        if not encryption_keys:
            raise ValueError("at least one number encryption key is needed")
        self._hash_key = hash_key
        self._boxes = [AESGCM(key) for key in encryption_keys]
        self._noise = noise

    def key(self, number: str) -> str:
        """The keyed hash (HMAC-SHA-256) of a number. A plain hash of so few numbers could be looked up."""
        return self._digest("number", number.strip()).hex()

    def customer_key(self, customer: str) -> str:
        """The keyed hash of another system's id of a customer."""
        return self._digest("customer", customer.strip()).hex()

    def erased_mark(self, number: str) -> str:
        """The keyed hash by which an erased number is known, and by nothing else."""
        return self._digest("erased", number.strip()).hex()

    def token_key(self, token: str) -> str:
        """The keyed hash of a link's token."""
        return self._digest("token", token).hex()

    def bucket(self, experiment: str, who: str) -> int:
        """0..9999, the same for one caller in one experiment, without a pattern between experiments."""
        return int.from_bytes(self._digest("bucket", f"{experiment}\0{who}")[:8]) % 10_000

    def _digest(self, purpose: str, what: str) -> bytes:
        return hmac.digest(self._hash_key, f"{purpose}\0{what}".encode(errors="surrogatepass"), hashlib.sha256)

    def seal(self, words: str) -> bytes:
        """AES-256-GCM under the newest key."""
        nonce = self._noise(_NONCE)
        return nonce + self._boxes[0].encrypt(nonce, words.encode(errors="surrogatepass"), None)

    def open(self, sealed: bytes) -> str:
        """What `seal` hid. Raises ValueError when no key fits: it was sealed under a key that is gone, or altered."""
        for box in self._boxes:
            try:
                return box.decrypt(sealed[:_NONCE], sealed[_NONCE:], None).decode(errors="surrogatepass")
            except InvalidTag:
                continue
        raise ValueError("sealed under a key that is not in NUMBER_ENCRYPTION_KEY")

    def hide(self, words: str) -> str:
        """`seal`, as text."""
        return SEALED + base64.b64encode(self.seal(words)).decode()

    def show(self, kept: str) -> str:
        """What `hide` hid; what is not hidden as it is. Raises ValueError as `open` does."""
        return self.open(base64.b64decode(kept.removeprefix(SEALED))) if kept.startswith(SEALED) else kept

    def reseal(self, sealed: bytes) -> bytes | None:
        """The same under the newest key, None when it is already. Raises ValueError as `open` does."""
        words, newest = self.open(sealed), self._boxes[0]
        try:
            newest.decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        except InvalidTag:
            return self.seal(words)
        return None

    def rehide(self, kept: str) -> str:
        """The same, hidden under the newest key. Raises ValueError as `open` does."""
        if not kept.startswith(SEALED):
            return self.hide(kept) if kept else ""
        new = self.reseal(base64.b64decode(kept.removeprefix(SEALED)))
        return kept if new is None else SEALED + base64.b64encode(new).decode()


def readable(number: str) -> str:
    """A number of ours as people write it, for a page; what is none stays as it is."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL))
