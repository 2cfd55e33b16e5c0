"""The container files, read as data: there is no engine here to run them."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from yamllint import linter
from yamllint.config import YamlLintConfig

from whatsapp_etl.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    return instructions(ROOT / "Dockerfile")


def instructions(path: Path) -> list[tuple[str, str]]:
    """Return the instructions as (keyword, argument) pairs, continuation lines joined."""
    text = path.read_text().replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(None, 1)[0].upper(), line.split(None, 1)[1]) for line in lines]


@pytest.fixture(scope="module")
def compose() -> dict:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def seccomp() -> dict:
    return json.loads((ROOT / "docker/chromium-seccomp.json").read_text())


@pytest.fixture(scope="module")
def login_image() -> list[tuple[str, str]]:
    return instructions(ROOT / "docker/login.Dockerfile")


def values(dockerfile, keyword):
    return [argument for name, argument in dockerfile if name == keyword]


def final_stage(dockerfile):
    starts = [index for index, (name, _) in enumerate(dockerfile) if name == "FROM"]
    return dockerfile[starts[-1] :]


def test_image_is_built_in_stages_and_runs_as_an_ordinary_user(dockerfile):
    assert len(values(dockerfile, "FROM")) == 2
    assert values(final_stage(dockerfile), "USER") == ["10001:10001"]
    assert any("--from=build" in copy for copy in values(final_stage(dockerfile), "COPY"))


def test_no_stage_is_bound_to_one_processor(dockerfile):
    assert not any("--platform" in argument for argument in values(dockerfile, "FROM"))
    assert not any("amd64" in argument for _, argument in dockerfile)


def test_image_installs_the_locked_packages_with_their_hashes(dockerfile):
    assert any("--require-hashes -r requirements.lock" in run for run in values(dockerfile, "RUN"))


def test_text_in_pictures_is_read_only_by_an_image_that_was_asked_to_and_from_a_lock(dockerfile, compose):
    (argument,) = values(dockerfile, "ARG")
    (run,) = (run for run in values(dockerfile, "RUN") if "${OCR}" in run)

    def done(ocr):
        return subprocess.run(
            ["sh", "-euc", run], env={"OCR": ocr}, capture_output=True, text=True, check=False
        )

    assert argument == "OCR=false"
    assert (done("false").returncode, done("false").stderr) == (0, "")
    assert (done("yes").returncode, done("yes").stderr) == (2, "OCR is true or false, not yes.\n")
    # Nobody has the image's folder here, so what would be run is named and not found.
    assert "/opt/whatsapp-etl/bin/pip" in done("true").stderr
    assert "pip install --require-hashes -r requirements-ocr.lock" in run
    assert compose["services"]["app"]["build"]["args"] == {"OCR": "${OCR:-false}"}


def test_locks_that_one_image_installs_agree():
    def pins(name):
        return dict(re.findall(r"^([\w.-]+)==([^ ;\\]+)", (ROOT / name).read_text(), re.MULTILINE))

    all_, ocr = pins("requirements.lock"), pins("requirements-ocr.lock")
    assert all_.keys() & ocr.keys()
    assert {name: version for name, version in ocr.items() if all_.get(name, version) != version} == {}


def test_image_has_one_browser(dockerfile):
    installs = " ".join(values(dockerfile, "RUN"))
    assert installs.count("install --yes --no-install-recommends chromium ") == 1
    assert "playwright install" not in installs


def test_healthcheck_asks_whether_it_is_alive_without_curl(dockerfile):
    (check,) = values(dockerfile, "HEALTHCHECK")
    assert "/healthz" in check
    assert "curl" not in check
    assert "wget" not in check


def test_what_must_survive_is_a_volume(dockerfile):
    (volumes,) = values(dockerfile, "VOLUME")
    assert json.loads(volumes) == [
        "/data/attachments",
        "/data/whatsapp_profile",
        "/data/spool",
        "/data/postgres",
    ]


def test_everything_the_images_copy_is_let_through_by_dockerignore(dockerfile, login_image):
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    sources = {
        part.removeprefix("./")
        for copy in (*values(dockerfile, "COPY"), *values(login_image, "COPY"))
        if "--from" not in copy
        for part in copy.split()[:-1]
        if not part.startswith("--")
    }
    assert sources <= allowed
    assert all((ROOT / source).exists() for source in sources)


def test_compose_file_is_well_formed():
    rules = YamlLintConfig(
        "extends: default\nrules: {line-length: {max: 110}, document-start: disable, comments: disable}"
    )
    problems = list(linter.run((ROOT / "compose.yaml").read_text(), rules))
    assert problems == []


def test_compose_waits_for_a_healthy_database(compose):
    assert compose["services"]["app"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert "pg_isready" in " ".join(compose["services"]["postgres"]["healthcheck"]["test"])
    assert compose["services"]["postgres"]["image"] == "postgres:17"


@pytest.mark.parametrize("variable", ["PG_URL", "HTTP_TOKEN"])
def test_compose_refuses_to_start_without(compose, variable):
    assert compose["services"]["app"]["environment"][variable].startswith(f"${{{variable}:?")


def test_every_setting_in_dotenv_reaches_the_container_but_what_the_image_fixes(compose):
    fixed = {
        "ATTACHMENTS_DIR",
        "BROWSER_EXECUTABLE",
        "BROWSER_HEADLESS",
        "HOST",
        "PG_DATA_DIR",
        "PORT",
        "SPOOL_DIR",
        "WHATSAPP_ETL_NOW",
        "WHATSAPP_PROFILE_DIR",
    }
    passed = compose["services"]["app"]["environment"]
    assert set(passed) == {name.upper() for name in Settings.model_fields} - fixed
    assert all(value.startswith(f"${{{name}:") for name, value in passed.items())


def test_compose_gives_chromium_what_it_needs(compose):
    app = compose["services"]["app"]
    assert app["init"] is True
    assert app["shm_size"]
    assert "seccomp:./docker/chromium-seccomp.json" in app["security_opt"]


def test_compose_publishes_on_loopback_only(compose):
    published = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_seccomp_profile_denies_by_default_and_lets_the_sandbox_work(seccomp):
    allowed = {name for rule in seccomp["syscalls"] for name in rule["names"]}
    assert seccomp["defaultAction"] == "SCMP_ACT_ERRNO"
    assert {"clone", "clone3", "unshare", "chroot"} <= allowed
    assert not {"mount", "ptrace", "bpf", "kexec_load", "init_module", "keyctl", "setns", "reboot"} & allowed


def test_analysts_can_only_read():
    script = (ROOT / "docker/analyst-role.sh").read_text()
    assert "default_transaction_read_only = on" in script
    assert "GRANT SELECT ON TABLES TO analyst" in script
    assert not any(word in script for word in ("GRANT ALL", "INSERT", "UPDATE", "DELETE", "SUPERUSER"))


def test_the_window_over_novnc_is_opened_by_its_profile_only_and_shares_the_login(compose):
    app, login = compose["services"]["app"], compose["services"]["login"]

    assert login["profiles"] == ["login"]
    assert all("profiles" not in service for name, service in compose["services"].items() if name != "login")
    assert login["ports"] == ["127.0.0.1:6080:6080"]
    assert "profile:/data/whatsapp_profile" in login["volumes"]
    assert all(
        login[key] == app[key] for key in ("environment", "volumes", "security_opt", "cap_drop", "init")
    )
    assert "restart" not in login


def test_the_window_over_novnc_is_the_services_image_and_runs_as_its_user(dockerfile, login_image, compose):
    assert values(login_image, "ARG") == [f"BASE={compose['services']['app']['image']}"]
    assert values(login_image, "FROM") == ["${BASE}"]
    assert values(login_image, "USER")[-1] == values(final_stage(dockerfile), "USER")[-1]
    assert values(login_image, "HEALTHCHECK") == ["NONE"]
    assert compose["services"]["login"]["build"]["dockerfile"] == "docker/login.Dockerfile"


def test_the_window_over_novnc_asks_for_a_password_of_its_own_each_time():
    script = (ROOT / "docker/login-over-vnc.sh").read_text()

    assert subprocess.run(["sh", "-n", ROOT / "docker/login-over-vnc.sh"], check=False).returncode == 0
    assert "secrets.choice" in script
    assert "-SecurityTypes VncAuth" in script
    assert "-localhost" in script  # VNC itself is reached through the bridge alone
    assert "SecurityTypes None" not in script
    assert os.access(ROOT / "docker/login-over-vnc.sh", os.X_OK)
