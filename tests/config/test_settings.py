"""What an operator sets: told all at once when wrong, safe by default, the same for every process."""

import base64
import re
import secrets
import stat
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from pydantic import ValidationError

from config import folders, secret_files
from config.__main__ import env_example, markdown
from config.kinds import Secret
from config.names import SECRETS
from config.settings import Settings, SettingsError, known_names, load

ROOT = Path(__file__).resolve().parents[2]
KEY = base64.b64encode(bytes(range(32))).decode()
OTHER_KEY = base64.b64encode(bytes(range(32, 64))).decode()
PRODUCTION = {
    "OFFHOLD_ENV": "production",
    "DATABASE_URL": "postgresql://offhold:pw@db.example/offhold",
    "REDIS_URL": "rediss://:pw@cache.example/0",
    "PUBLIC_BASE_URL": "https://voice.example.com",
    "TWILIO_ACCOUNT_SID": "AC" + "0123456789abcdef" * 2,
    "TWILIO_AUTH_TOKEN": "0123456789abcdef0123456789abcdef",
    "TWILIO_SENDER_NUMBER": "+12025550143",
    "SESSION_SECRET": "one of forty letters, said by nobody yet",
    "LINK_SECRET": "and another, for what callers are sent..",
    "NUMBER_ENCRYPTION_KEY": KEY,
    "NUMBER_HASH_KEY": KEY,
    "STATEMENT_KEY": KEY,
}


def given(tmp_path: Path, **values: str) -> dict[str, str]:
    return {"DATA_DIR": str(tmp_path), **values}


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(environ, dotenv=None)
    return caught.value.problems


def told(environ: dict[str, str]) -> set[str]:
    return {line.split(":", 1)[0] for line in problems(environ)}


def test_a_file_keeps_the_account_and_a_mark_of_its_editor_is_no_part_of_a_secret(tmp_path: Path) -> None:
    token, account = tmp_path / "token", tmp_path / "account"
    token.write_bytes(b"\xef\xbb\xbf0123456789abcdef\r\n")  # as Windows' editors write
    account.write_text(PRODUCTION["TWILIO_ACCOUNT_SID"] + "\n")
    kept = {name: PRODUCTION[name] for name in PRODUCTION if name not in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN")}
    files = {"TWILIO_AUTH_TOKEN_FILE": str(token), "TWILIO_ACCOUNT_SID_FILE": str(account)}
    settings = load(given(tmp_path, **kept, **files), dotenv=None)
    assert settings.twilio_auth_token[0].get_secret_value() == "0123456789abcdef"
    assert settings.twilio_account_sid == PRODUCTION["TWILIO_ACCOUNT_SID"]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ALLOWED_TEXT_COUNTRIES", "US,UK", "Great Britain is GB"),
        ("ALLOWED_TEXT_COUNTRIES", "US,XX", "'XX' is no country"),
        ("PUBLIC_BASE_URL", "https://voice_1.example.com", "without _"),
        ("PUBLIC_BASE_URL", "https://voice.example.com/a b", "plain letters"),
        ("LINK_BASE_URL", "https://h\u00e9.example.com", "plain letters"),
        ("LINK_BASE_URL", "https://example.com/~brand", "has ~"),
    ],
)
def test_what_nobody_could_call_or_text_is_refused(tmp_path: Path, name: str, value: str, words: str) -> None:
    (line,) = problems(given(tmp_path, **{**PRODUCTION, name: value}))
    assert line.startswith(f"{name}: ")
    assert words in line


def test_everything_wrong_is_told_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    wrong = {
        "PORT": "70000",
        "DATABASE_URL": "mysql://db",
        "PUBLIC_BASE_URL": "voice.example.com",
        "NUMBER_HASH_KEY": "short",
        "TEST_PHONE": "maybe",
        "ALLOWED_TEXT_COUNTRIES": "US,usa",
        "TWILIO_ACCOUNT_SID": "AC12",
        "OFFHOLD_ENVIRONMENT": "production",
        "LINK_BASE_ULR": "https://a.example",
    }
    assert told(given(tmp_path, **wrong)) == {*wrong, "TWILIO_AUTH_TOKEN"}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PUBLIC_BASE_URL", "ftp://a.example", "expected http(s)://"),
        ("PUBLIC_BASE_URL", "https://a.example/?x=1", "expected http(s)://"),
        ("PUBLIC_BASE_URL", "https://user:pw@a.example", "expected http(s)://"),
        ("PUBLIC_BASE_URL", "https://a.example:99999", "Port out of range"),
        ("REDIS_URL", "http://a", "expected redis://"),
        ("SESSION_SECRET", "short", "at least 32 letters"),
        ("NUMBER_ENCRYPTION_KEY", ",", "at least one"),
        ("NUMBER_ENCRYPTION_KEY", f"{KEY},nonsense", "32 bytes in base64"),
        ("TWILIO_SENDER_NUMBER", "2025550143", "+ and 7-15 digits"),
        ("WEB_THREADS", "0", "greater than or equal to 1"),
        ("CARRIER_TIMEOUT_S", "0", "greater than 0"),
    ],
)
def test_a_wrong_value_says_what_was_expected(tmp_path: Path, name: str, value: str, expected: str) -> None:
    (line,) = problems(given(tmp_path, **{name: value}))
    assert line.startswith(f"{name}: ")
    assert expected in line


def test_a_secret_is_not_repeated_in_the_complaint(tmp_path: Path) -> None:
    text = "\n".join(problems(given(tmp_path, NUMBER_HASH_KEY="hunter2hunter2", SESSION_SECRET="hunter2")))
    assert "hunter2" not in text


@pytest.mark.parametrize(
    "name",
    ["TWILIO_AUTHTOKEN", "OFFHOLD_PORTS", "OFFHOLD_ENVIRONMENT", "TWILIO_SENDER", "NUMBER_HASHKEY", "PUBLIC_BASEURL"],
)
def test_a_misspelt_name_of_ours_is_refused(tmp_path: Path, name: str) -> None:
    assert told(given(tmp_path, **{name: "x"})) == {name}


@pytest.mark.parametrize("name", ["HOME", "XDG_DATA_DIRS", "REDIS_TLS_URL", "GRANIAN_PORT", "PYTHONPATH"])
def test_names_of_others_are_no_concern_of_ours(tmp_path: Path, name: str) -> None:
    load(given(tmp_path, **{name: "x"}), dotenv=None)


#: what Kubernetes gives every container beside services called "offhold" and "postgres"
BY_KUBERNETES = {
    "OFFHOLD_SERVICE_HOST": "10.0.0.7",
    "OFFHOLD_SERVICE_PORT": "8000",
    "OFFHOLD_SERVICE_PORT_HTTP": "8000",
    "OFFHOLD_PORT": "tcp://10.0.0.7:8000",
    "OFFHOLD_PORT_8000_TCP": "tcp://10.0.0.7:8000",
    "OFFHOLD_PORT_8000_TCP_ADDR": "10.0.0.7",
    "OFFHOLD_PORT_8000_TCP_PORT": "8000",
    "OFFHOLD_PORT_8000_TCP_PROTO": "tcp",
    "POSTGRES_PORT": "tcp://10.0.0.8:5432",
    "POSTGRES_PORT_5432_TCP": "tcp://10.0.0.8:5432",
    "POSTGRES_SERVICE_HOST": "10.0.0.8",
}


def test_what_an_orchestrator_adds_stops_nothing_and_is_named(tmp_path: Path) -> None:
    settings = load(given(tmp_path, **BY_KUBERNETES), dotenv=None)
    assert (settings.port, settings.postgres_port) == (8000, 5432)
    assert [line for line in settings.warnings() if line.endswith("; ignored")] == [
        "OFFHOLD_PORT: expected a number; ignored",
        "OFFHOLD_PORT_8000_TCP: no such setting; ignored",
        "OFFHOLD_PORT_8000_TCP_ADDR: no such setting; ignored",
        "OFFHOLD_PORT_8000_TCP_PORT: no such setting; ignored",
        "OFFHOLD_PORT_8000_TCP_PROTO: no such setting; ignored",
        "OFFHOLD_SERVICE_HOST: no such setting; ignored",
        "OFFHOLD_SERVICE_PORT: no such setting; ignored",
        "OFFHOLD_SERVICE_PORT_HTTP: no such setting; ignored",
        "POSTGRES_PORT: expected a number; ignored",
    ]
    under_honcho = {"HONCHO_PROCESS_NAME": "web.1", "PORT": "5100"}
    assert load(given(tmp_path, **BY_KUBERNETES, **under_honcho), dotenv=None).port == 8000


def test_the_first_run_writes_secrets_that_only_we_can_read(tmp_path: Path) -> None:
    first = load(given(tmp_path), dotenv=None)
    files = sorted(folders.secrets_folder(first.data_dir).iterdir())
    assert {file.name for file in files} == secret_files.GENERATED.keys()
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(files[0].parent.stat().st_mode) == 0o700
    assert load(given(tmp_path), dotenv=None) == first
    assert first.development_account


def _load_in(folder: str) -> tuple[str, str]:
    settings = load({"DATA_DIR": folder}, dotenv=None)
    return settings.twilio_account_sid, settings.link_secret.get_secret_value()


def test_processes_that_start_together_agree_on_the_secrets(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4) as processes:
        found = set(processes.map(_load_in, [str(tmp_path)] * 12))
    assert len(found) == 1


def test_secrets_print_as_stars(tmp_path: Path) -> None:
    settings = load(given(tmp_path, DATABASE_URL="postgresql://u:letmein@db.example/x"), dotenv=None)
    for secret in settings.secrets():
        assert secret.get_secret_value() not in repr(settings)
        assert str(secret) == "***"
    assert len(settings.secrets()) == 8
    assert {name for name in known_names() if "***" in repr(getattr(settings, name.lower()))} < SECRETS


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    settings = load(given(tmp_path, NUMBER_HASH_KEY_FILE=str(tmp_path / "key")), dotenv=None)
    assert settings.hash_key() == bytes(range(32))


def test_a_secret_given_twice_or_in_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    twice = given(tmp_path, NUMBER_HASH_KEY=KEY, NUMBER_HASH_KEY_FILE=str(tmp_path / "key"))
    assert problems(twice) == ["NUMBER_HASH_KEY: set, and NUMBER_HASH_KEY_FILE too; expected one of them"]
    (line,) = problems(given(tmp_path, LINK_SECRET_FILE=str(tmp_path / "none")))
    assert line.startswith("LINK_SECRET_FILE: cannot be read (FileNotFoundError)")


def test_a_port_cannot_lie_in_a_file(tmp_path: Path) -> None:
    load(given(tmp_path, PORT_FILE="x"), dotenv=None)  # somebody else's name, not ours
    assert "PORT" not in SECRETS


def test_the_environment_goes_before_the_file_and_the_file_may_hold_only_settings(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("PORT=9000\nWEB_THREADS=3\nWEB_PROCESSES=\n")
    settings = load(given(tmp_path, PORT="9001"), dotenv)
    assert (settings.port, settings.web_threads, settings.web_processes) == (9001, 3, 2)
    dotenv.write_text("PORTS=9000\n")
    with pytest.raises(SettingsError, match="PORTS: no such setting; did you mean PORT"):
        load(given(tmp_path), dotenv)


def test_all_processes_under_honcho_see_the_port_that_was_asked_for(tmp_path: Path) -> None:
    under_honcho = {"HONCHO_PROCESS_NAME": "web.1", "PORT": "5100"}
    assert load(given(tmp_path, **under_honcho), dotenv=None).port == 8000
    asked = load(given(tmp_path, **under_honcho, OFFHOLD_PORT="9000"), dotenv=None)
    assert (asked.port, asked.public_base_url) == (9000, "http://127.0.0.1:9000")


def test_what_follows_from_other_settings(tmp_path: Path) -> None:
    settings = load(given(tmp_path, PUBLIC_BASE_URL="https://a.example/", PHONE_PORT="8200"), dotenv=None)
    assert settings.link_base_url == "https://a.example"
    assert settings.voice_fallback_url == "https://a.example/voice/fallback"
    assert settings.twilio_api_base_url == "http://127.0.0.1:8200"
    assert settings.embedded_postgres
    assert settings.embedded_valkey


def test_a_first_run_keeps_everything_below_the_folder_it_is_started_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load({}, dotenv=None)
    assert settings.data_dir == tmp_path / "var"
    assert settings.embedded_postgres
    assert settings.embedded_valkey


def test_a_real_account_is_reached_at_twilio(tmp_path: Path) -> None:
    account = {name: PRODUCTION[name] for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN")}
    settings = load(given(tmp_path, **account), dotenv=None)
    assert settings.twilio_api_base_url == "https://api.twilio.com"
    assert not settings.development_account
    assert settings.twilio_sender_number is None


def test_keys_and_tokens_rotate(tmp_path: Path) -> None:
    rotating = given(tmp_path, NUMBER_ENCRYPTION_KEY=f"{KEY}, {OTHER_KEY}")
    settings = load({**rotating, **PRODUCTION, "TWILIO_AUTH_TOKEN": "new,old"} | rotating, dotenv=None)
    assert settings.encryption_keys() == (bytes(range(32)), bytes(range(32, 64)))
    assert [token.get_secret_value() for token in settings.twilio_auth_token] == ["new", "old"]


def test_production_with_everything_set_starts(tmp_path: Path) -> None:
    settings = load(given(tmp_path, **PRODUCTION), dotenv=None)
    assert settings.production
    assert settings.test_phone == "off"
    assert [line.split(":")[0] for line in settings.warnings()] == ["VOICE_FALLBACK_URL"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", sorted(PRODUCTION.keys() - {"OFFHOLD_ENV", "TWILIO_SENDER_NUMBER"}))
def test_production_demands(tmp_path: Path, name: str) -> None:
    environ = given(tmp_path, **PRODUCTION)
    del environ[name]
    assert problems(environ) == [f"{name}: not set; production demands it"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PUBLIC_BASE_URL", "http://voice.example.com", "expected https://"),
        ("PUBLIC_BASE_URL", "https://localhost", "names this machine"),
        ("PUBLIC_BASE_URL", "https://127.0.0.1:8443", "names this machine"),
        ("PUBLIC_BASE_URL", "https://[::1]", "names this machine"),
        ("LINK_BASE_URL", "http://l.example.com", "expected https://"),
        ("TWILIO_API_BASE_URL", "http://carrier.example", "expected https://"),
    ],
)
def test_production_refuses_unsafe_addresses(tmp_path: Path, name: str, value: str, expected: str) -> None:
    lines = problems(given(tmp_path, **PRODUCTION | {name: value}))
    assert any(line.startswith(f"{name}: ") and expected in line for line in lines)


@pytest.mark.parametrize("name", ["SESSION_SECRET", "LINK_SECRET"])
@pytest.mark.parametrize("secret", ["s" * 40, "changeme" * 5, "0123456789" * 3 + "0123456", "ab" * 20])
def test_production_refuses_a_secret_that_anybody_may_guess(tmp_path: Path, name: str, secret: str) -> None:
    expected = f"{name}: is easily guessed; expected one drawn at random (openssl rand -base64 32)"
    assert problems(given(tmp_path, **PRODUCTION | {name: secret})) == [expected]
    load(given(tmp_path, **{name: secret}), dotenv=None)


@pytest.mark.parametrize("name", ["NUMBER_ENCRYPTION_KEY", "NUMBER_HASH_KEY", "STATEMENT_KEY"])
@pytest.mark.parametrize("raw", [bytes(32), b"0123456789abcdef" * 2, bytes(range(7)) * 4 + bytes(4)])
def test_production_refuses_a_key_that_anybody_may_guess(tmp_path: Path, name: str, raw: bytes) -> None:
    lines = problems(given(tmp_path, **PRODUCTION | {name: base64.b64encode(raw).decode()}))
    assert [line.split(";")[0] for line in lines] == [f"{name}: is easily guessed"]


def test_secrets_drawn_at_random_are_never_refused_in_production(tmp_path: Path) -> None:
    for _ in range(20):
        drawn = {name: draw() for name, draw in secret_files.GENERATED.items() if name in PRODUCTION}
        drawn |= {"SESSION_SECRET": secrets.token_hex(16), "LINK_SECRET": secrets.token_urlsafe(24)}
        load(given(tmp_path, **PRODUCTION | drawn), dotenv=None)


def test_production_refuses_the_account_of_the_first_run(tmp_path: Path) -> None:
    made = load(given(tmp_path), dotenv=None).twilio_account_sid
    (line,) = problems(given(tmp_path, **PRODUCTION | {"TWILIO_ACCOUNT_SID": made}))
    assert line.startswith("TWILIO_ACCOUNT_SID: is the development account")


def test_the_test_phone_is_on_in_production_only_when_asked_for(tmp_path: Path) -> None:
    settings = load(given(tmp_path, **PRODUCTION, TEST_PHONE="on"), dotenv=None)
    assert settings.test_phone == "on"
    assert "TEST_PHONE: is on in production" in settings.warnings()


def test_settings_that_exclude_each_other_are_refused(tmp_path: Path) -> None:
    both = {"TWILIO_MESSAGING_SERVICE_SID": "MG" + "0" * 32, "TWILIO_SENDER_NUMBER": "+12025550143"}
    assert told(given(tmp_path, **both)) == {"TWILIO_SENDER_NUMBER"}
    assert told(given(tmp_path, TWILIO_API_KEY_SID="SK" + "0" * 32)) == {"TWILIO_API_KEY_SID"}
    assert told(given(tmp_path, PORT="8100")) == {"PHONE_PORT"}


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = load(given(tmp_path), dotenv=None)
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1


def test_a_fingerprint_tells_keys_apart_and_gives_nothing_away() -> None:
    assert secret_files.fingerprint(Secret(KEY)) == secret_files.fingerprint(Secret(KEY))
    assert secret_files.fingerprint(Secret(KEY)) != secret_files.fingerprint(Secret(OTHER_KEY))
    assert re.fullmatch("[0-9a-f]{16}", secret_files.fingerprint(Secret(KEY)))


def test_a_program_with_wrong_settings_ends_before_it_begins(tmp_path: Path) -> None:
    environ = {"PATH": "/usr/bin", "PYTHONPATH": str(ROOT), "PORT": "none", "WEB_THREADS": "none"}
    ran = subprocess.run([sys.executable, "-m", "config"], cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert ran.returncode == 2
    assert {"PORT", "WEB_THREADS"} == set(re.findall(r"^([A-Z_]+):", ran.stderr, re.MULTILINE))
    assert list(tmp_path.iterdir()) == []


def test_every_secret_is_a_setting_and_typed_as_one() -> None:
    typed = {name.upper() for name, field in Settings.model_fields.items() if "Secret" in repr(field.annotation)}
    assert typed == SECRETS
    assert known_names() > SECRETS


def test_the_readme_has_the_table_of_settings() -> None:
    assert markdown() in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_file_is_the_generated_one() -> None:
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == env_example() + "\n"
