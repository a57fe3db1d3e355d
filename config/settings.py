"""All settings of Offhold as one frozen object, read from the environment and a file `.env`.

Every secret NAME may also be given as NAME_FILE, the path of a file that holds it. An empty value counts as
not set. `load()` reports all that is wrong at once; `load_or_exit()` prints that and ends the process before
anything is bound.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from config import folders, kinds, names, rules, secret_files
from config.kinds import Secret


class SettingsError(Exception):
    """The settings cannot be used; `problems` says each reason in one line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Settings(BaseModel):
    """What an operator sets. The README's table is made from this class."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    offhold_env: Literal["development", "production"] = Field(
        "development", description="`production` demands every secret and refuses unsafe defaults"
    )
    host: str = Field("127.0.0.1", description="address the web process binds")
    port: kinds.Port = Field(8000, description="port of the web process")
    phone_port: kinds.Port = Field(8100, description="port of the test phone")
    postgres_port: kinds.Port = Field(5432, description="names the embedded PostgreSQL's socket")
    valkey_port: kinds.Port = Field(6379, description="names the embedded Valkey's socket")
    data_dir: kinds.Folder = Field(
        Path("var"), description="folder of the embedded stores, the secrets and the search index"
    )
    database_url: kinds.PostgresAddress = Field(
        description="PostgreSQL 15 or newer", json_schema_extra={"default": "embedded PostgreSQL"}
    )
    redis_url: kinds.RedisAddress = Field(
        description="Redis or Valkey; may lose everything at any time",
        json_schema_extra={"default": "embedded Valkey"},
    )
    public_base_url: kinds.TwilioCalls = Field(
        description="the address Twilio calls and signs",
        json_schema_extra={"default": "http://127.0.0.1:PORT"},
    )
    link_base_url: kinds.WebAddress = Field(
        description="the address the links in texts start with",
        json_schema_extra={"default": "PUBLIC_BASE_URL"},
    )
    twilio_account_sid: kinds.AccountSid = Field(
        description="Twilio account", json_schema_extra={"default": "made by the first run"}
    )
    twilio_auth_token: kinds.Tokens = Field(
        description="its auth token; several with commas while rotating: all are accepted, the first signs",
        json_schema_extra={"default": "made by the first run"},
    )
    twilio_api_key_sid: kinds.ApiKeySid | None = Field(None, description="API key for REST, in the token's place")
    twilio_api_key_secret: Secret | None = Field(None, description="its secret")
    twilio_messaging_service_sid: kinds.MessagingServiceSid | None = Field(
        None, description="messaging service that sends the texts"
    )
    twilio_sender_number: kinds.SenderNumber | None = Field(
        None,
        description="or the number that sends them",
        json_schema_extra={"default": f"{rules.DEVELOPMENT_SENDER} for the test phone"},
    )
    twilio_api_base_url: kinds.WebAddress = Field(
        description="any carrier that speaks Twilio's REST API",
        json_schema_extra={"default": f"the test phone, or {rules.TWILIO_API} for a real account"},
    )
    voice_fallback_url: kinds.TwilioCalls = Field(
        description="TwiML for the time we cannot answer; better on another host",
        json_schema_extra={"default": "PUBLIC_BASE_URL/voice/fallback"},
    )
    carrier_connect_timeout_s: kinds.Seconds = Field(3.0, description="longest wait to reach the carrier")
    carrier_timeout_s: kinds.Seconds = Field(10.0, description="longest wait for the carrier's answer")
    session_secret: kinds.LongSecret = Field(
        description="signs the sessions of staff", json_schema_extra={"default": "made by the first run"}
    )
    oidc_issuer: kinds.WebAddress | None = Field(
        None,
        description="OpenID Connect issuer staff may sign in at; it leads back to `PUBLIC_BASE_URL/console/oidc/back`",
    )
    oidc_client_id: str | None = Field(None, min_length=1, description="what it calls this service")
    oidc_client_secret: Secret | None = Field(None, description="and the secret for that")
    oidc_role_claim: str = Field(
        "offhold_role",
        min_length=1,
        description="claim that holds a role (viewer, editor, finance, admin) or a list; without one nobody gets in",
    )
    link_secret: kinds.LongSecret = Field(
        description="hides the addresses of those who guess at links",
        json_schema_extra={"default": "made by the first run"},
    )
    number_encryption_key: kinds.Keys = Field(
        description="encrypts phone numbers (32 bytes, base64); several with commas while rotating: the first encrypts",
        json_schema_extra={"default": "made by the first run"},
    )
    number_hash_key: kinds.Key = Field(
        description="keyed hash of phone numbers (32 bytes, base64); never change it",
        json_schema_extra={"default": "made by the first run"},
    )
    statement_key: kinds.Key = Field(
        description="signs the statements of closed months (32 bytes, base64); its public half is at "
        "/console/finance/key",
        json_schema_extra={"default": "made by the first run"},
    )
    test_phone: kinds.Switch = Field(
        description="the carrier on the desk", json_schema_extra={"default": "on; off in production"}
    )
    lookup: kinds.Switch = Field("off", description="ask the carrier for a number's line type before a text")
    allowed_text_countries: kinds.Countries = Field(("US", "CA"), description="countries whose numbers may get a text")
    prefix_texts_a_day: int = Field(
        100, ge=1, description="most texts a day to numbers that share their first seven digits; more looks like abuse"
    )
    prefix_typed_texts_a_day: int = Field(10, ge=0, description="of these, to numbers that callers typed in")
    country_texts_a_day: int = Field(
        100_000, ge=0, description="most texts a day to the numbers of each of these countries"
    )
    texts_a_minute: int = Field(600, ge=1, description="most texts a minute to all numbers together")
    prefix_answers_an_hour: int = Field(
        30, ge=0, description="most answers an hour to texts from numbers that share their first seven digits"
    )
    answers_an_hour: int = Field(600, ge=0, description="most answers an hour to texts from all numbers together")
    sources_allow_private: kinds.Switch = Field(
        "off", description="let sources of articles be on this machine or in the private network"
    )
    hooks_allow_private: kinds.Switch = Field(
        "off", description="let webhooks out go to this machine or the private network, and by http"
    )
    agent_numbers: kinds.PhoneNumbers = Field(
        (),
        description="numbers agents dial in from, with commas; others are turned away",
        json_schema_extra={"default": "any; none in production"},
    )
    encoder: Literal["onnx", "onnx-fast", "sentence-transformers"] = Field(
        "onnx-fast", description="how the sentence encoder runs: a caller's words fast, or all exact, or by torch"
    )
    encoder_model: str = Field("all-MiniLM-L6-v2", min_length=1, description="the encoder's model")
    web_processes: int = Field(2, ge=1, le=64, description="processes of `web`")
    web_threads: int = Field(8, ge=1, le=64, description="threads in each of them")
    drain_wait_s: kinds.Wait = Field(
        description="seconds from SIGTERM, during which calls are still answered and `/readyz` is 503, to the end",
        json_schema_extra={"default": "0; 3 in production"},
    )
    worker_port: kinds.Port | None = Field(
        None, description="port at HOST where the worker answers `/healthz`, `/readyz` and `/metrics`; unset: none"
    )
    metrics_token: kinds.LongSecret | None = Field(
        None,
        description="who asks for `/metrics` names it (`Authorization: Bearer`); unset: only programs of this machine "
        "get an answer, in production nobody",
    )
    revision: str = Field(
        "unknown", min_length=1, max_length=80, description="what is deployed, a tag or a commit: `/version` tells it"
    )
    # Not the operator's to set: true for the account of the first run, which only the test phone knows.
    development_account: bool = False
    # Nor this: names of the environment that look like settings and are none, in a line each.
    ignored: tuple[str, ...] = ()

    @property
    def production(self) -> bool:
        return self.offhold_env == "production"

    @property
    def embedded_postgres(self) -> bool:
        """True when DATABASE_URL is the PostgreSQL that `ivr.stores` runs."""
        return self.database_url.get_secret_value() == folders.postgres_url(self.data_dir, self.postgres_port)

    @property
    def embedded_valkey(self) -> bool:
        """True when REDIS_URL is the Valkey that `ivr.stores` runs."""
        return self.redis_url.get_secret_value() == folders.redis_url(self.data_dir, self.valkey_port)

    def encryption_keys(self) -> tuple[bytes, ...]:
        """NUMBER_ENCRYPTION_KEY as bytes: the first encrypts, all decrypt."""
        return tuple(kinds.key_bytes(key) for key in self.number_encryption_key)

    def hash_key(self) -> bytes:
        """NUMBER_HASH_KEY as bytes."""
        return kinds.key_bytes(self.number_hash_key)

    def secrets(self) -> tuple[Secret, ...]:
        """Every secret there is, for taking them out of logs."""
        values = (value for _, value in self)
        parts = (part for value in values for part in (value if isinstance(value, tuple) else (value,)))
        return tuple(part for part in parts if isinstance(part, Secret))

    def signing_key(self) -> bytes:
        """STATEMENT_KEY as bytes."""
        return kinds.key_bytes(self.statement_key)

    def hash_key_fingerprint(self) -> str:
        """See `secret_files.fingerprint`."""
        return secret_files.fingerprint(self.number_hash_key)

    def warnings(self) -> list[str]:
        """What works but is not safe or not wise, one line each."""
        return rules.warnings(self)


def load(environ: Mapping[str, str] | None = None, dotenv: Path | None = Path(".env")) -> Settings:
    """The settings of `environ` (default: the process's), completed from the file `dotenv` if it exists.

    In development the secrets that are missing are written under DATA_DIR first. Raises SettingsError with
    every problem there is; then nothing was written.
    """
    given, problems, ignored = names.read(os.environ if environ is None else environ, dotenv, known_names())
    problems += rules.missing_in_production(given)
    data_dir = Path(given.get("DATA_DIR", "var")).expanduser().absolute()
    folder = folders.secrets_folder(data_dir)
    wanted = rules.secrets_to_make(given)
    fresh = {name: make() for name, make in secret_files.GENERATED.items() if name in wanted}
    made = {name: value for name, value in secret_files.read(folder).items() if name in wanted}
    settings = _checked(given, fresh | made, data_dir, problems)
    if fresh.keys() - made:
        settings = _checked(given, secret_files.settle(folder, fresh), data_dir, [])
    return settings.model_copy(update={"ignored": ignored})


def known_names() -> frozenset[str]:
    """The names of all settings, as in the environment."""
    return frozenset(name.upper() for name in Settings.model_fields) - {"DEVELOPMENT_ACCOUNT", "IGNORED"}


def load_or_exit() -> Settings:
    """`load()` for a program's first line: prints what is wrong to standard error and exits with status 2."""
    try:
        return load()
    except (SettingsError, OSError) as error:
        print(f"The settings cannot be used:\n{error}", file=sys.stderr)
        raise SystemExit(2) from None


def _checked(given: Mapping[str, str], made: Mapping[str, str], data_dir: Path, problems: list[str]) -> Settings:
    values = rules.derived(given, data_dir) | dict(made) | dict(given)
    try:
        settings = Settings.model_validate({name.lower(): value for name, value in values.items()})
    except ValidationError as error:
        wrong = [_in_words(detail) for detail in error.errors(include_url=False)]
        follow = tuple(f"{name}:" for name in rules.DERIVED - given.keys())
        causes = problems + [line for line in wrong if not line.startswith(follow)]
        raise SettingsError(_first_of_each(causes or wrong)) from None
    problems = problems + rules.conflicts(settings, given)
    if problems:
        raise SettingsError(problems)
    return settings


def _in_words(detail: ErrorDetails) -> str:
    name = str(detail["loc"][0]).upper()
    if detail["type"] == "missing":
        return f"{name}: not set"
    return f"{name}: {detail['msg'].removeprefix('Value error, ')}"


def _first_of_each(problems: list[str]) -> list[str]:
    return list({line.split(":", 1)[0]: line for line in reversed(problems)}.values())[::-1]
