"""What the settings become on a server, file by file, held against the programs that read them.

Files in `golden/` are what a server gets for the default settings, as a whole.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from components.application.application import Application, ApplicationFiles, environment_file
from components.core.render import render
from components.servers.distributions.registry import of_image
from components.settings.load import parse
from tests.unit.releasectl_host import releasectl_module

pytestmark = pytest.mark.usefixtures("our_templates")

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).with_name("golden")
SCHEMA = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
DEFAULTS: dict[str, Any] = {name: setting["default"] for name, setting in SCHEMA.items()}


SYSTEMS = {"web": of_image("debian-12-x64"), "web-2": of_image("debian-13-x64")}


def application(**changes: Any) -> Application:
    settings = parse({**DEFAULTS, **changes})
    return Application(settings=settings, module=settings.app_module or "wsgi:app")


def files(**changes: Any) -> ApplicationFiles:
    return ApplicationFiles.of(application(**changes), SYSTEMS)


def of_instance(name: str, **changes: Any) -> str:
    """The content of a file that an instance is made from."""
    return {each.name: each.content for each in files(**changes).instance}[name]


def program(name: str) -> str:
    """A program of this machine, also one that only root has on PATH."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    found = shutil.which(name, path=path)
    if found is None:
        pytest.skip(f"{name} is not installed on this machine")
    return found


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


# Whole files


@pytest.mark.parametrize(
    ("golden", "text"),
    [
        ("nginx-site.conf", lambda: files().nginx["web"]),
        (
            "nginx-site-without-static.conf",
            lambda: files(staticFolder="", webPort=8081).nginx["web"],
        ),
        ("app.service", lambda: of_instance("unit")),
        ("gunicorn.conf.py", lambda: of_instance("gunicorn")),
        ("serve_gunicorn.sh", lambda: of_instance("serve")),
        ("serve_uwsgi.sh", lambda: of_instance("serve", appServer="uwsgi")),
        ("serve_mod_wsgi.sh", lambda: of_instance("serve", appServer="mod_wsgi")),
        ("uwsgi.ini", lambda: of_instance("uwsgi", appServer="uwsgi", maxRequests=5000)),
        ("apache.conf", lambda: of_instance("apache", appServer="mod_wsgi", maxRequests=5000)),
        ("app.wsgi", lambda: of_instance("wsgi", appServer="mod_wsgi")),
        ("program.conf", lambda: of_instance("program", supervisor="supervisor")),
        ("supervise.sh", lambda: of_instance("supervise", supervisor="supervisor")),
        ("tmpfiles.conf", lambda: files().sockets),
        ("app.json", lambda: files().releasectl),
        ("sshd.conf", lambda: render("sshd.conf")),
        (
            "pg_hba.conf",
            lambda: render("pg_hba.conf", names=["site"], clients=["10.20.0.0/24"]),
        ),
        (
            "postgresql.conf",
            lambda: render(
                "postgresql.conf",
                address="10.20.0.3",
                port=5432,
                connections=500,
                notices_lost_clients=True,
            ),
        ),
    ],
)
def test_a_server_gets_this_file(golden: str, text: Any) -> None:
    assert text() == (GOLDEN / golden).read_text()


# nginx


def test_maintenance_covers_static_files_too() -> None:
    assert "location ^~ /static/" in files().nginx["web"]
    assert "/static/" not in files(maintenance="Back at ten.").nginx["web"]


def test_nginx_takes_the_site(tmp_path: Path) -> None:
    nginx = program("nginx")
    site = tmp_path / "site.conf"
    # A port that needs no root and that nothing else has to be kept from.
    site.write_text(files(webPort=19999).nginx["web"])
    whole = tmp_path / "nginx.conf"
    whole.write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/errors;\n"
        f"events {{}}\nhttp {{ access_log off; include {site}; }}\n"
    )
    checked = run(nginx, "-t", "-p", str(tmp_path), "-c", str(whole))
    assert checked.returncode == 0, checked.stderr


def test_every_setting_of_the_site_shows_in_what_nginx_gets() -> None:
    text = files(appName="shop", webPort=8081, staticFolder="public/files").nginx["web"]
    assert "    listen 8081 default_server;" in text
    assert "/next/public/files/$static_file" in text
    assert "    server unix:/srv/shop/current.sock fail_timeout=0;" in text
    assert "proxy_pass http://shop;" in text


def test_without_a_static_folder_nginx_serves_no_files() -> None:
    assert "/static/" not in files(staticFolder="").nginx["web"]


# The unit


def unit_file(folder: Path, unit: str) -> Path:
    path = folder / "site@one.service"
    path.write_text(unit)
    return path


def test_systemd_takes_the_unit_without_a_word(tmp_path: Path) -> None:
    analyze = program("systemd-analyze")
    path = unit_file(tmp_path, of_instance("unit"))
    checked = run(analyze, "verify", "--man=no", "--recursive-errors=no", str(path))
    ours = [line for line in checked.stderr.splitlines() if path.name in line]
    assert (checked.returncode, ours) == (0, [])


def test_systemd_would_say_so_if_the_unit_were_wrong(tmp_path: Path) -> None:
    analyze = program("systemd-analyze")
    wrong = of_instance("unit").replace("ProtectSystem=strict", "ProtectSystm=strict")
    path = unit_file(tmp_path, wrong)
    checked = run(analyze, "verify", "--man=no", "--recursive-errors=no", str(path))
    assert "ProtectSystm" in checked.stderr


def test_an_old_release_is_not_killed_before_its_requests_may_end() -> None:
    """gunicorn's own patience must run out before systemd's."""
    for seconds in (0, 30, 600):
        made = {each.name: each.content for each in files(drainSeconds=seconds).instance}
        graceful = re.search(r"^graceful_timeout = (\d+)$", made["gunicorn"], re.MULTILINE)
        stop = re.search(r"^TimeoutStopSec=(\d+)$", made["unit"], re.MULTILINE)
        assert graceful
        assert stop
        assert seconds == int(graceful[1]) < int(stop[1])


def test_what_falls_over_again_and_again_pauses_longer_each_time(tmp_path: Path) -> None:
    pause = render("pause.sh", app="site").replace("/run/site", str(tmp_path))

    def started(now: int) -> int:
        fakes = f'set -eu; instance=one; date() {{ echo {now}; }}; sleep() {{ echo "$1"; }}\n'
        return int(run("sh", "-c", fakes + pause).stdout)

    now, pauses = 1_000_000, []
    for _ in range(11):
        pauses.append(started(now))
        now += pauses[-1] + 2
    assert pauses == [0, 0, 0, 1, 2, 4, 8, 16, 20, 20, 20]
    assert started(now + 60) == 0, "it ran for a while"
    (tmp_path / "one.attempts").write_text("")  # cut off
    assert started(now) == 0


# gunicorn


def gunicorn_settings(tmp_path: Path, **changes: Any) -> dict[str, Any]:
    path = tmp_path / "gunicorn.conf.py"
    path.write_text(of_instance("gunicorn", **changes))
    return runpy.run_path(str(path))


def test_gunicorn_runs_two_workers_for_each_core_and_one_more(tmp_path: Path) -> None:
    assert gunicorn_settings(tmp_path)["workers"] == 2 * (os.cpu_count() or 1) + 1


def test_gunicorn_runs_as_many_workers_as_were_asked_for(tmp_path: Path) -> None:
    assert gunicorn_settings(tmp_path, workers=7)["workers"] == 7


def test_gunicorn_replaces_its_workers_one_after_the_other(tmp_path: Path) -> None:
    settings = gunicorn_settings(tmp_path, maxRequests=5000, workerThreads=4, requestSeconds=90)
    assert (settings["max_requests"], settings["max_requests_jitter"]) == (5000, 500)
    assert (settings["threads"], settings["timeout"]) == (4, 90)
    assert "max_requests" not in gunicorn_settings(tmp_path)


# The other app servers


def test_a_callable_that_makes_the_application_is_called_for_mod_wsgi() -> None:
    script = of_instance("wsgi", appServer="mod_wsgi", appModule="os.path:abspath()")
    names: dict[str, Any] = {}
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        exec(script, names)
    assert names["application"] is os.path.abspath


def test_an_instance_is_made_from_every_file_of_its_server_and_supervisor() -> None:
    def made_from(**changes: Any) -> set[str]:
        return set(json.loads(files(**changes).releasectl)["instance_files"])

    folder = "/etc/slipway/site"
    assert made_from() == {
        f"{folder}/env",
        f"{folder}/gunicorn.conf.py",
        f"{folder}/serve",
        f"{folder}/app.service",
    }
    assert made_from(appServer="mod_wsgi", supervisor="supervisor") == {
        f"{folder}/env",
        f"{folder}/apache.conf",
        f"{folder}/app.wsgi",
        f"{folder}/serve",
        f"{folder}/program.conf",
        f"{folder}/supervise",
        "/etc/systemd/system/supervisor.service.d/slipway.conf",
    }


# sshd, PostgreSQL


def sshd_says(tmp_path: Path, text: str) -> subprocess.CompletedProcess[str]:
    sshd, ssh_keygen = program("sshd"), program("ssh-keygen")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd -t wants it, as on a server
    key = tmp_path / "key"
    run(ssh_keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    path = tmp_path / "sshd.conf"
    path.write_text(text)
    return run(sshd, "-T", "-f", str(path), "-h", str(key))


def test_sshd_takes_its_file_and_means_by_it_what_we_mean(tmp_path: Path) -> None:
    checked = sshd_says(tmp_path, render("sshd.conf"))
    assert checked.returncode == 0, checked.stderr
    means = checked.stdout.splitlines()
    for line in (
        "permitrootlogin no",
        "passwordauthentication no",
        "kbdinteractiveauthentication no",
        "allowusers deploy",
        "allowtcpforwarding no",
        "allowagentforwarding no",
        "x11forwarding no",
    ):
        assert line in means


def test_sshd_would_refuse_a_wrong_file(tmp_path: Path) -> None:
    assert sshd_says(tmp_path, render("sshd.conf") + "PermitRotLogin no\n").returncode != 0


def test_postgresql_lets_in_the_administrator_here_and_the_application_encrypted() -> None:
    text = render("pg_hba.conf", names=["shop"], clients=["10.20.0.0/24"])
    rules = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    assert [rule[0] for rule in rules] == ["local", "hostssl"]
    assert rules[0][2:] == ["postgres", "peer"]
    assert rules[1][-2:] == ["10.20.0.0/24", "scram-sha-256"]


# What releasectl reads


@pytest.fixture(scope="module")
def releasectl() -> ModuleType:
    return releasectl_module()


def test_releasectl_takes_the_settings(releasectl: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "app.json"
    path.write_text(files(webPort=8081, keepReleases=7, healthPath="/up").releasectl)
    known = releasectl.Settings(path)
    assert (known.web_port, known.keep_releases, known.health_path) == (8081, 7, "/up")
    assert known.release_command == "python release.py"


@pytest.mark.parametrize("module", ["wsgi:app", "shop.web:app", "wsgi:make_app()", "_a.b_2:_c"])
def test_releasectl_takes_every_module_that_the_settings_take(
    releasectl: ModuleType, tmp_path: Path, module: str
) -> None:
    path = tmp_path / "app.json"
    path.write_text(files(appModule=module).releasectl)
    assert releasectl.Settings(path).module == module


# What systemd takes for a value: no control characters but tab and line end (env_value_is_valid).
VALUES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=[chr(n) for n in range(32)])
    | st.sampled_from(" \t\n\"'\\$`;#=%")
)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)


@settings(deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=5))
@example({"A": "-----BEGIN KEY-----\nab\\\n#c=d\n-----END KEY-----\n", "B": "b"})
@example({"A": "two\u2028lines", "B": "\x85", "C": "\\"})
def test_the_release_command_gets_every_value_as_it_was(
    releasectl: ModuleType, tmp_path_factory: pytest.TempPathFactory, variables: dict[str, str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "env"
    path.write_text(environment_file(variables))
    assert releasectl.environment_of(path) == variables


@settings(max_examples=30, deadline=None)  # each is a process
@given(st.dictionaries(NAMES.map("V{}".format), VALUES, max_size=5))
@example({"V": "-----BEGIN KEY-----\nab\\\n#c=d\n-----END KEY-----\n"})
def test_a_shell_takes_the_same_file_for_what_supervisor_runs(
    tmp_path_factory: pytest.TempPathFactory, variables: dict[str, str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "env"
    path.write_text(environment_file(variables))
    shown = run("/bin/sh", "-c", f"set -a; . {path}; exec env -0").stdout.split("\0")
    found = dict(line.split("=", 1) for line in shown if line)
    assert {name: found.get(name) for name in variables} == variables


def test_an_environment_is_written_in_order_so_that_the_same_is_the_same() -> None:
    assert environment_file({"B": "2", "A": "1"}) == 'A="1"\nB="2"\n'


def test_app_json_is_read_by_people_too() -> None:
    text = files().releasectl
    assert json.loads(text)["health_path"] == "/healthz"
    assert text.count("\n") > 5
