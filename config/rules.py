"""What the settings say about each other: defaults that follow, and what is unsafe."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from config import folders, machine, secret_files

if TYPE_CHECKING:
    from pathlib import Path

    from config.settings import Settings

DEVELOPMENT_SENDER = "+15005550006"
TWILIO_API = "https://api.twilio.com"
LEAST_DIFFERENT = 8  # letters or bytes: of 32 hexadecimal digits drawn at random, fewer are one case in 10 million
NOT_IN_TEXTS = "~{}|\\^"  # two units of a text each: `ivr.texts` writes others in their place
_ACCOUNT = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN")
# These follow from others, so what is wrong with those is not told of these again.
DERIVED = frozenset(
    {
        "DATABASE_URL",
        "REDIS_URL",
        "PUBLIC_BASE_URL",
        "LINK_BASE_URL",
        "VOICE_FALLBACK_URL",
        "TWILIO_API_BASE_URL",
        "TWILIO_SENDER_NUMBER",
    }
)
DEMANDED = (
    "DATABASE_URL",
    "REDIS_URL",
    "PUBLIC_BASE_URL",
    *_ACCOUNT,
    "SESSION_SECRET",
    "LINK_SECRET",
    "NUMBER_ENCRYPTION_KEY",
    "NUMBER_HASH_KEY",
    "STATEMENT_KEY",
)


def in_production(given: Mapping[str, str]) -> bool:
    return given.get("OFFHOLD_ENV") == "production"


def derived(given: Mapping[str, str], data_dir: "Path") -> dict[str, object]:
    """The values of settings that follow from others when they are not given."""
    production = in_production(given)
    values: dict[str, object] = {"DATA_DIR": str(data_dir), "TEST_PHONE": "off" if production else "on"}
    values["DRAIN_WAIT_S"] = "3" if production else "0"
    if not production:
        values |= _embedded(given, data_dir)
    public = given.get("PUBLIC_BASE_URL") or values.get("PUBLIC_BASE_URL")
    if public:
        values["LINK_BASE_URL"] = public
        values["VOICE_FALLBACK_URL"] = f"{str(public).rstrip('/')}/voice/fallback"
    real = production or "TWILIO_ACCOUNT_SID" in given
    test_phone = f"http://127.0.0.1:{given.get('PHONE_PORT', 8100)}"
    values["TWILIO_API_BASE_URL"] = TWILIO_API if real else test_phone
    if not real and "TWILIO_MESSAGING_SERVICE_SID" not in given:
        values["TWILIO_SENDER_NUMBER"] = DEVELOPMENT_SENDER
    values["DEVELOPMENT_ACCOUNT"] = not real
    return values


def _embedded(given: Mapping[str, str], data_dir: "Path") -> dict[str, object]:
    postgres_port, valkey_port = given.get("POSTGRES_PORT", "5432"), given.get("VALKEY_PORT", "6379")
    values: dict[str, object] = {"PUBLIC_BASE_URL": f"http://127.0.0.1:{given.get('PORT', 8000)}"}
    if postgres_port.isdecimal():
        values["DATABASE_URL"] = folders.postgres_url(data_dir, int(postgres_port))
    if valkey_port.isdecimal():
        values["REDIS_URL"] = folders.redis_url(data_dir, int(valkey_port))
    return values


def secrets_to_make(given: Mapping[str, str]) -> frozenset[str]:
    """Which secrets the first run in development makes: those not given, the account as a whole."""
    if in_production(given):
        return frozenset()
    wanted = secret_files.GENERATED.keys() - given.keys()
    if any(name in given for name in _ACCOUNT):
        wanted -= set(_ACCOUNT)
    return frozenset(wanted)


def missing_in_production(given: Mapping[str, str]) -> list[str]:
    """What production demands and was not given."""
    if not in_production(given):
        return []
    missing = [f"{name}: not set; production demands it" for name in DEMANDED if name not in given]
    if not {"TWILIO_MESSAGING_SERVICE_SID", "TWILIO_SENDER_NUMBER"} & given.keys():
        missing.append("TWILIO_MESSAGING_SERVICE_SID: not set; production demands it or TWILIO_SENDER_NUMBER")
    return missing


def conflicts(settings: "Settings", given: Mapping[str, str]) -> list[str]:
    """What is right in itself and wrong together."""
    found = []
    if (settings.twilio_api_key_sid is None) != (settings.twilio_api_key_secret is None):
        found.append("TWILIO_API_KEY_SID: expected together with TWILIO_API_KEY_SECRET, or neither")
    if settings.twilio_messaging_service_sid and "TWILIO_SENDER_NUMBER" in given:
        found.append("TWILIO_SENDER_NUMBER: set, and TWILIO_MESSAGING_SERVICE_SID too; expected one of them")
    oidc = (settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret)
    if any(oidc) and not all(oidc):
        found.append("OIDC_ISSUER: expected together with OIDC_CLIENT_ID and OIDC_CLIENT_SECRET, or none of them")
    lost = sorted(set(settings.link_base_url) & set(NOT_IN_TEXTS))
    if lost:
        found.append(f"LINK_BASE_URL: has {' '.join(lost)}, which texts do not keep; expected a plainer address")
    if settings.phone_port == settings.port:
        found.append(f"PHONE_PORT: {settings.phone_port} is the PORT of web already")
    if settings.worker_port in (settings.port, settings.phone_port):
        found.append(f"WORKER_PORT: {settings.worker_port} is the port of web or of the test phone already")
    found += _stores_elsewhere(settings)
    if settings.production:
        found += _unsafe_addresses(settings, given) + _made_by_first_run(settings) + _guessable(settings)
    return found


def _stores_elsewhere(settings: "Settings") -> list[str]:
    """The embedded stores are one machine's: a second one that is told of no others would keep a second truth."""
    missing = [
        name
        for name, embedded in (("DATABASE_URL", settings.embedded_postgres), ("REDIS_URL", settings.embedded_valkey))
        if embedded
    ]
    other = machine.other(settings.data_dir) if missing else None
    if other is None:
        return []
    return [
        f"{name}: not set, and the embedded stores in {settings.data_dir} are run by the machine {other}; expected a "
        f"server that all machines reach. If the folder moved here and that machine runs nothing of it any more, "
        f"remove {folders.machine_note(settings.data_dir)}"
        for name in missing
    ]


def _unsafe_addresses(settings: "Settings", given: Mapping[str, str]) -> list[str]:
    found = []
    for name in ("public_base_url", "link_base_url", "voice_fallback_url"):
        if name.upper() not in given:  # it follows from the first
            continue
        address = getattr(settings, name)
        if not address.startswith("https://"):
            found.append(f"{name.upper()}: expected https:// in production")
        if _this_machine(address):
            found.append(f"{name.upper()}: names this machine; expected an address that Twilio can reach")
    if settings.oidc_issuer and not settings.oidc_issuer.startswith("https://"):
        found.append("OIDC_ISSUER: expected https:// in production")
    if not settings.twilio_api_base_url.startswith("https://") and settings.test_phone == "off":
        found.append("TWILIO_API_BASE_URL: expected https:// in production")
    return found


def _made_by_first_run(settings: "Settings") -> list[str]:
    made = secret_files.read(folders.secrets_folder(settings.data_dir))
    if made.get("TWILIO_ACCOUNT_SID") == settings.twilio_account_sid:
        return ["TWILIO_ACCOUNT_SID: is the development account of the first run; expected one of Twilio's"]
    return []


def _guessable(settings: "Settings") -> list[str]:
    """Secrets that are long enough and were never drawn: one letter again and again, a word repeated, zeros."""
    secrets: list[tuple[str, Sequence[object]]] = [
        ("SESSION_SECRET", settings.session_secret.get_secret_value()),
        ("LINK_SECRET", settings.link_secret.get_secret_value()),
        *(("NUMBER_ENCRYPTION_KEY", key) for key in settings.encryption_keys()),
        ("NUMBER_HASH_KEY", settings.hash_key()),
        ("STATEMENT_KEY", settings.signing_key()),
    ]
    return [
        f"{name}: is easily guessed; expected one drawn at random (openssl rand -base64 32)"
        for name, secret in secrets
        if len(set(secret)) < LEAST_DIFFERENT or _repeats(secret)
    ]


def _repeats(secret: "Sequence[object]") -> bool:
    """Whether it is one piece over and over, the last time perhaps in part."""
    return any(secret[piece:] == secret[:-piece] for piece in range(1, len(secret) // 2 + 1))


def _this_machine(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def warnings(settings: "Settings") -> list[str]:
    """What works but is not safe or not wise."""
    found = list(settings.ignored)
    if settings.voice_fallback_url.startswith(settings.public_base_url + "/"):
        found.append(
            "VOICE_FALLBACK_URL: is our own address, which cannot answer while we are down; "
            "`flask twilio setup-number` prints the TwiML to host elsewhere"
        )
    if settings.production:
        if settings.sources_allow_private == "on":
            found.append("SOURCES_ALLOW_PRIVATE: is on in production; a source may then reach into the private network")
        if settings.hooks_allow_private == "on":
            found.append("HOOKS_ALLOW_PRIVATE: is on in production; a webhook may then reach into the private network")
        if settings.test_phone == "on":
            found.append("TEST_PHONE: is on in production")
        return found
    if settings.development_account:
        found.append("TWILIO_ACCOUNT_SID: not set; calls and texts stay on the test phone")
    elif not settings.public_base_url.startswith("https://"):
        found.append("PUBLIC_BASE_URL: is not https://; Twilio cannot reach or trust it")
    if settings.host not in ("127.0.0.1", "::1", "localhost"):
        found.append("HOST: the development service can be reached from other machines")
    return found
