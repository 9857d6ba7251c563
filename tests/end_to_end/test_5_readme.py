"""What the documentation tells a person to type does what it says, typed as it is written.

tests/unit/test_readme.py holds that no command of README.md and docs/ is left out here.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from datetime import datetime, timedelta
from itertools import pairwise
from typing import IO

import httpx
import pytest

from tests.clone import Clone
from tests.typed import typed, types

pytestmark = pytest.mark.hosts


def servers(site: Clone) -> set[str]:
    return {each["server"] for each in site.output("web")}


def page_on(site: Clone, server: str) -> str:
    """The page as the nginx of one server gives it, asked for on the server itself."""
    ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1/').read().decode())"
    return site.on(server, f'python3 -c "{ask}"')


@types("scripts/up local")
def test_up_releases_the_application(site: Clone, command: str) -> None:
    site.edit("app/templates/users.html", "</h1>", ", read in the README</h1>")
    assert "local is up: http://127.0.0.1:" in typed(site, command).stderr
    assert ", read in the README</h1>" in site.get().text


@types("curl -s http://127.0.0.1:8080/")
def test_the_page_has_two_users(site: Clone, command: str) -> None:
    page = typed(site, command).stdout
    assert "Ada Lovelace" in page
    assert "Grace Hopper" in page


@types("scripts/preview local")
def test_a_preview_shows_what_a_change_would_do_and_does_nothing(site: Clone, command: str) -> None:
    with_a_line_more = "pulumi config set workers 3 --stack local"
    site.run(f"source scripts/activate 2>/dev/null && {with_a_line_more}")
    try:
        assert "+ workers = 3" in " ".join(typed(site, command).stdout.split())
    finally:
        site.pulumi("config rm workers --stack local")


@types("scripts/releases local", "pulumi stack output releases --stack local")
def test_both_ways_to_list_releases_agree(site: Clone, command: str, then: str) -> None:
    rows = [line.split()[:2] for line in typed(site, command).stdout.splitlines()[1:]]
    # One that never served is on the servers only.
    table = [id for id, state in rows if state not in ("pruned", "bad")]
    assert table == [each["id"] for each in json.loads(typed(site, then).stdout)]
    assert len(table) >= 2


@types("scripts/releases local --audit")
def test_the_audit_lists_what_was_done_on_the_servers(site: Clone, command: str) -> None:
    rows = [line.split() for line in typed(site, command).stdout.splitlines()[1:]]
    times = [(row[0], row[1]) for row in rows]
    assert times == sorted(times)
    assert ["switch", site.output("release")["id"], "ok"] in [row[5:8] for row in rows]


@types("scripts/up local --wait")
def test_an_update_that_would_wait_goes_on_where_nobody_else_is_at_work(
    site: Clone, command: str
) -> None:
    assert "local is up: " in typed(site, command).stderr


@types("scripts/up local --profile")
def test_a_profile_draws_where_the_time_of_an_update_went(site: Clone, command: str) -> None:
    site.edit("app/templates/users.html", ", read in the README</h1>", ", drawn</h1>")
    try:
        done = typed(site, command)
        assert ", drawn</h1>" in site.get().text
    finally:
        site.edit("app/templates/users.html", ", drawn</h1>", ", read in the README</h1>")
        site.run("scripts/up local")
    drawing = site.folder / ".slipway" / "timeline-local.svg"
    assert f"where the time went: {drawing}" in done.stderr
    said = drawing.read_text()
    parts = ("connect web-stage", "transfer web-stage", "command web-stage")
    for what in ("engine: start", "program: imports", "program: its", *parts):
        assert what in said
    # Requests of the engine hold secrets, and were only to be read.
    assert list((site.folder / ".slipway").glob("timeline.*")) == []


@types("scripts/rollback local", "scripts/rollback local <id>")
def test_a_rollback_goes_back_and_with_an_id_anywhere(site: Clone, command: str, then: str) -> None:
    new = site.output("release")["id"]
    typed(site, command)
    assert ", read in the README</h1>" not in site.get().text
    typed(site, then.replace("<id>", new))
    assert ", read in the README</h1>" in site.get().text


@types('scripts/maintenance local on --message "Back at ten."', "scripts/maintenance local off")
def test_maintenance_shows_a_page_while_the_application_stays_up(
    site: Clone, command: str, then: str
) -> None:
    typed(site, command)
    page = site.get()
    assert page.status_code == 503
    assert "Back at ten." in page.text
    assert page.headers["retry-after"] == "120"
    for path in ("/healthz", "/static/style.css"):
        assert site.get(path).status_code == 503
    # The server itself still sees the application.
    seen = json.loads(site.on("web", "sudo releasectl --app site status"))
    assert (seen["problem"], seen["entry_problem"]) == (None, None)
    typed(site, then)
    assert "Ada Lovelace" in site.get().text


@types("scripts/status local", "scripts/repair local")
def test_a_healthy_site_is_said_to_be_so_and_needs_no_repair(
    site: Clone, command: str, then: str
) -> None:
    assert typed(site, command).stdout.startswith("local: all is well\n")
    assert "local: nothing to repair" in typed(site, then).stderr


@types("scripts/status local --json")
def test_the_status_is_there_for_programs(site: Clone, command: str) -> None:
    found = json.loads(typed(site, command).stdout)
    assert (found["status"], found["release"]) == (0, site.output("release")["id"])
    assert [each["reachable"] for each in found["servers"]] == [True, True]


@types("scripts/status local --watch 10")
def test_the_status_is_shown_again_and_again(site: Clone, command: str) -> None:
    watching = subprocess.Popen(
        # A test run in the background hands down that Ctrl-C is to be ignored.
        ["env", "--default-signal=INT", *command.replace("10", "1").split()],
        cwd=site.folder,
        env=site.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert watching.stdout
    summaries = (line for line in watching.stdout if line.startswith("local: "))
    assert [next(summaries), next(summaries)] == ["local: all is well\n"] * 2
    os.killpg(watching.pid, signal.SIGINT)
    _, said = watching.communicate(timeout=20)
    assert said == ""


@types("scripts/ssh local web systemctl --failed")
def test_a_command_runs_on_a_server(site: Clone, command: str) -> None:
    assert "0 loaded units listed" in typed(site, command).stdout


@types("scripts/ssh local web")
def test_a_shell_opens_on_a_server(site: Clone, command: str) -> None:
    assert site.run(f"echo hostname | {command}").stdout.split()[-1] == "web"


@types("scripts/ssh local web readlink /srv/site/current")
def test_the_link_leads_to_the_release_that_serves(site: Clone, command: str) -> None:
    assert typed(site, command).stdout.strip() == f"releases/{site.output('release')['id']}"


@types("scripts/logs local")
def test_logs_of_all_servers_are_shown_by_time(site: Clone, command: str) -> None:
    said = typed(site, f"{command} --lines 500").stdout
    assert "gunicorn" in said
    lines = [line.split() for line in said.splitlines()]
    assert {line[0] for line in lines} >= {"web", "db"}
    times = [datetime.fromisoformat(line[1]) for line in lines]
    # A server's own lines stay as its journal has them, where what is said at the same time by
    # several processes may be some milliseconds out of order.
    for before, after in pairwise(times):
        assert after > before - timedelta(seconds=0.1)
    assert typed(site, command).stdout


@types("scripts/logs local web --follow")
def test_logs_are_followed(site: Clone, command: str) -> None:
    following = subprocess.Popen(
        # A test run in the background hands down that Ctrl-C is to be ignored.
        ["env", "--default-signal=INT", *command.split()],
        cwd=site.folder,
        env=site.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert following.stdout
    assert following.stdout.readline()
    assert following.poll() is None, "it goes on"
    os.killpg(following.pid, signal.SIGINT)
    _, said = following.communicate(timeout=20)
    assert "Traceback" not in said


@types("source scripts/activate")
def test_activate_puts_pulumi_on_the_path(site: Clone, command: str) -> None:
    said = site.run(f"{command} && type -P pulumi && pulumi version").stdout
    assert ".slipway/engine/bin/pulumi" in said


@types("python3 -m local_cloud status")
def test_status_shows_the_hosts(site: Clone, command: str) -> None:
    rows = [line.split() for line in typed(site, command).stdout.splitlines()[1:]]
    # Below the droplets are the servers of the cloud itself.
    droplets = [row for row in rows if row[0].isdigit()]
    assert {(row[1], row[2]) for row in droplets} == {("web", "active"), ("db", "active")}


@types("python3 -m local_cloud logs web")
def test_the_local_cloud_shows_what_a_host_said_while_booting(site: Clone, command: str) -> None:
    said = typed(site, command).stdout
    assert said.index("==> console <==") < said.index("==> journal <==")
    assert "systemd" in said


@types(
    'curl -s -H "Authorization: Bearer $DIGITALOCEAN_TOKEN" http://127.0.0.1:7300/v2/droplets',
)
def test_the_api_can_be_asked_with_the_token(site: Clone, command: str) -> None:
    droplets = json.loads(typed(site, command).stdout)["droplets"]
    assert {each["name"] for each in droplets} == {"web", "db"}


@types("python3 -m local_cloud stop", "python3 -m local_cloud start")
def test_the_site_serves_on_while_the_api_is_stopped(site: Clone, command: str, then: str) -> None:
    typed(site, command)
    try:
        assert site.get().status_code == 200
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{site.place.endpoint}/v2/account", timeout=2)
    finally:
        started = typed(site, then)
    assert f"{site.place.endpoint}/v2" in started.stdout


@types(
    "python3 -m local_cloud acme",
    "curl --cacert .slipway/local-cloud/acme/roots.pem https://acme.cloud.localhost:14000/dir",
)
def test_the_acme_server_is_started_and_answers(site: Clone, command: str, then: str) -> None:
    told = dict(line.split(": ", 1) for line in typed(site, command).stdout.splitlines())
    assert told["roots"] == str(site.folder / ".slipway/local-cloud/acme/roots.pem")
    # Another cloud of this computer may have the port: then it is the next one.
    there = then.replace("https://acme.cloud.localhost:14000/dir", told["directory"])
    assert "newOrder" in typed(site, there.replace("curl", "curl -sS")).stdout


@types("scripts/preview dev")
def test_the_environment_at_digitalocean_can_be_previewed(site: Clone, command: str) -> None:
    """Asked of the local cloud, which takes the same calls."""
    token = (site.folder / ".slipway/local-cloud/token").read_text()
    site.environment.update(DIGITALOCEAN_API_URL=site.place.endpoint, DIGITALOCEAN_TOKEN=token)
    try:
        said = typed(site, command).stdout
    finally:
        del site.environment["DIGITALOCEAN_API_URL"], site.environment["DIGITALOCEAN_TOKEN"]
    assert "s-1vcpu-512mb-10gb" in said
    assert "dev-web" in said


@types(
    "pulumi config set --path 'serverNames[0]' www.example.org --stack dev",
    "pulumi config set dns digitalocean --stack dev",
    "pulumi config set acmeTermsAgreed true --stack dev",
)
def test_a_name_at_digitalocean_comes_with_its_record_and_a_certificate(
    site: Clone, command: str, then: str, lastly: str
) -> None:
    token = (site.folder / ".slipway/local-cloud/token").read_text()
    site.environment.update(DIGITALOCEAN_API_URL=site.place.endpoint, DIGITALOCEAN_TOKEN=token)
    api = httpx.Client(
        base_url=f"{site.place.endpoint}/v2", headers={"Authorization": f"Bearer {token.strip()}"}
    )
    document = site.folder / "Pulumi.dev.yaml"
    before = document.read_text()
    try:
        for each in (command, then, lastly):
            typed(site, each)
        refused = site.run("scripts/preview dev", fails=True)
        said = " ".join(refused.stderr.split())
        assert "the account has no domain for the name www.example.org" in said
        assert api.post("/domains", json={"name": "example.org"}).status_code == 201
        done = site.run("scripts/preview dev")
        assert api.delete("/domains/example.org").status_code == 204
    finally:
        document.write_text(before)
        del site.environment["DIGITALOCEAN_API_URL"], site.environment["DIGITALOCEAN_TOKEN"]
    said = " ".join((done.stdout + done.stderr).split())
    assert "HTTPS of www.example.org ends at nginx on the servers, which order the" in said
    assert "::www.example.org-a]" in said
    assert "::web-certificate]" in said


@types(
    "pulumi config set --path 'serverNames[0]' www.site.localhost --stack local",
    "scripts/up local",
    "curl --cacert .slipway/local-cloud/acme/roots.pem https://www.site.localhost:8443/",
)
def test_a_name_has_a_certificate_after_the_next_update(
    site: Clone, command: str, then: str, lastly: str
) -> None:
    typed(site, command)
    typed(site, then)
    assert "Ada Lovelace" in typed(site, lastly).stdout
    # A visitor without HTTPS is sent there by the name, and served as ever without one.
    named = {"Host": f"www.site.localhost:{site.place.web}"}
    sent = httpx.get(f"http://127.0.0.1:{site.place.web}/a?b=c", headers=named)
    assert (sent.status_code, sent.headers["location"]) == (
        301,
        f"https://www.site.localhost:{site.place.tls}/a?b=c",
    )
    assert site.get().status_code == 200


@types("scripts/certificates local", "scripts/certificates local renew")
def test_certificates_are_shown_and_ordered_anew(site: Clone, command: str, then: str) -> None:
    heading, row = typed(site, command).stdout.splitlines()
    wanted = "site names, and where they lead server signed by lasts renewed last time served"
    assert " ".join(heading.split()) == wanted
    address = site.fleet.servers["web"].address
    assert row.split()[:6] == ["site", "www.site.localhost", "→", address, "web", "Pebble"]
    _, renewed = typed(site, then).stdout.splitlines()
    assert "ordered" in renewed
    assert renewed.split()[-1] != row.split()[-1], "another serial number is served"


@types(
    "scripts/ssh local web sudo certctl status",
    "scripts/ssh local web sudo journalctl -u slipway-certificates",
)
def test_a_server_says_what_it_knows_of_its_certificates(
    site: Clone, command: str, then: str
) -> None:
    found = json.loads(typed(site, command).stdout)["site"]
    assert (found["names"], found["placeholder"], found["served"]) == (
        ["www.site.localhost"],
        False,
        True,
    )
    # As the timer does.
    site.on("web", "sudo systemctl start slipway-certificates.service")
    assert "Finished slipway-certificates.service" in typed(site, then).stdout


@types(
    "pulumi config set hstsSeconds 300 --stack local",
    "scripts/up local",
    "pulumi config set hstsSeconds 0 --stack local",
)
def test_browsers_are_told_to_insist_on_https_and_to_forget_it(
    site: Clone, command: str, then: str, lastly: str
) -> None:
    roots = ".slipway/local-cloud/acme/roots.pem"
    ask = f"curl -sSI --cacert {roots} https://www.site.localhost:{site.place.tls}/"
    assert "strict-transport-security" not in site.run(ask).stdout.lower()
    typed(site, command)
    typed(site, then)
    assert "strict-transport-security: max-age=300" in site.run(ask).stdout.lower()
    site.pulumi("config set tls off --stack local")
    refused = site.run("scripts/up local", fails=True)
    assert "on which browsers insist" in " ".join((refused.stdout + refused.stderr).split())
    site.pulumi("config rm tls --stack local")
    typed(site, lastly)
    typed(site, then)
    assert "strict-transport-security: max-age=0" in site.run(ask).stdout.lower()


@types(
    "pulumi config set --path 'redirectNames[\"site.localhost\"]' www.site.localhost --stack local",
    "scripts/up local",
)
def test_visitors_of_another_name_are_sent_on(site: Clone, command: str, then: str) -> None:
    typed(site, command)
    typed(site, then)
    roots = ".slipway/local-cloud/acme/roots.pem"
    sent = site.run(f"curl -sSI --cacert {roots} https://site.localhost:{site.place.tls}/a?b=c")
    assert f"location: https://www.site.localhost:{site.place.tls}/a?b=c" in sent.stdout.lower()
    site.pulumi("config rm redirectNames --stack local")


@types(
    "pulumi config set tls own --stack local",
    "pulumi config set --secret certificate --stack local <chain.pem",
    "pulumi config set --secret certificateKey --stack local <key.pem",
)
def test_a_certificate_of_ones_own_is_served(
    site: Clone, command: str, then: str, lastly: str
) -> None:
    site.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 10"
        " -subj /CN=own -addext subjectAltName=DNS:www.site.localhost"
        " -keyout key.pem -out chain.pem"
    )
    ask = f"curl -sS --cacert chain.pem https://www.site.localhost:{site.place.tls}/"
    try:
        for each in (command, then, lastly):
            typed(site, each)
        site.run("scripts/up local")
        assert "Ada Lovelace" in site.run(ask).stdout
        warned = site.run("scripts/status local", fails=True).stdout
        assert "/etc/slipway/site/tls/own.pem runs out in 9 days" in " ".join(warned.split())
        assert "PRIVATE KEY" not in (site.folder / "Pulumi.local.yaml").read_text()
    finally:
        for key in ("tls", "certificate", "certificateKey"):
            site.pulumi(f"config rm {key} --stack local")
        site.run("rm chain.pem key.pem")


def test_without_the_name_the_site_is_as_it_was(site: Clone) -> None:
    for key in ("serverNames", "hstsSeconds"):
        site.pulumi(f"config rm {key} --stack local")
    site.run("scripts/up local")
    assert site.get().status_code == 200
    said = site.run("scripts/certificates local", fails=True).stderr
    assert "local has no certificates: they come with slipway:serverNames" in said
    assert site.run("scripts/status local").stdout.startswith("local: all is well\n")


@types(
    "pulumi config set --path appEnv.MODE careful --stack local",
    "pulumi config set --path appEnv.SECRET_KEY --secret --stack local",
)
def test_variables_reach_the_application_and_a_secret_nobody_else(
    site: Clone, command: str, then: str
) -> None:
    typed(site, command)
    typed(site, f"{then} <<<hush-hush")
    try:
        preview = site.run("scripts/preview local").stdout
        said = site.run("scripts/up local")
        found = site.on("web", "sudo cat /proc/$(pgrep --oldest --full bin.gunicorn)/environ")
    finally:
        site.pulumi("config rm appEnv --stack local")
    assert {"MODE=careful", "SECRET_KEY=hush-hush"} <= set(found.split("\0"))
    assert "hush-hush" not in preview + said.stdout + said.stderr
    state = site.run("cat .slipway/.pulumi/stacks/*/local.json Pulumi.local.yaml").stdout
    assert "hush-hush" not in state


@types("pulumi config set webPort 8081 --stack local", "scripts/up local")
def test_a_changed_port_moves_the_site(site: Clone, command: str, then: str) -> None:
    typed(site, command)
    typed(site, then)
    web = site.output("web")[0]["address"]
    assert httpx.get(f"http://{web}:8081/", timeout=5).status_code == 200
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://{web}/", timeout=3)


@types("pulumi config set webCount 2 --stack local", "scripts/up local")
def test_a_server_is_added_and_serves_the_release(site: Clone, command: str, then: str) -> None:
    site.pulumi("config rm webPort --stack local")
    typed(site, command)
    typed(site, then)
    assert servers(site) == {"web", "web-2"}
    for server in servers(site):
        assert ", read in the README</h1>" in page_on(site, server)
    assert site.get().status_code == 200


def test_with_one_server_again_the_other_is_gone(site: Clone) -> None:
    site.pulumi("config rm webCount --stack local")
    site.run("scripts/up local")
    assert servers(site) == {"web"}
    hosts = site.run("source scripts/activate && python3 -m local_cloud status --json").stdout
    assert {each["name"] for each in json.loads(hosts)} == {"web", "db"}
    assert site.get().status_code == 200


@types("scripts/preview local --markdown")
def test_a_comment_for_a_pull_request_shows_the_line_that_changes_and_no_secret(
    site: Clone, command: str
) -> None:
    document = site.folder / "Pulumi.local.yaml"
    before = document.read_text()
    password = re.findall(r"://\w+:([^@]+)@", site.on("web", "sudo cat /etc/slipway/site/env"))
    site.pulumi("config set webPort 8081 --stack local")
    try:
        said = typed(site, command).stdout
    finally:
        document.write_text(before)
    assert said.startswith("### Preview of `local`\n")
    assert "| changed | step on a server | `web-nginx` | `stdin` |" in said
    assert re.search(r"^\+ +listen 8081 default_server;$", said, re.MULTILINE)
    assert len(password) == 1
    assert password[0] not in said
    assert "PRIVATE KEY" not in said


@types("scripts/diff staging production")
def test_the_difference_of_two_environments_is_shown(site: Clone, command: str) -> None:
    said = typed(site, command).stdout
    assert re.search(r"webCount +1 +2", said)
    assert "webPort" not in said


@types("scripts/new-environment qa --region fra1 --web-count 2 --backups")
def test_a_new_environment_is_written_priced_and_previewed(site: Clone, command: str) -> None:
    token = (site.folder / ".slipway/local-cloud/token").read_text()
    site.environment.update(DIGITALOCEAN_API_URL=site.place.endpoint, DIGITALOCEAN_TOKEN=token)
    document = site.folder / "Pulumi.qa.yaml"
    try:
        said = typed(site, command).stdout
        written = document.read_text()
        site.run("source scripts/activate && pulumi stack rm qa --yes")
    finally:
        del site.environment["DIGITALOCEAN_API_URL"], site.environment["DIGITALOCEAN_TOKEN"]
        document.unlink(missing_ok=True)
    assert "1 x load balancer                       12.00 USD a month" in said
    assert "digitalocean:index/loadBalancer:LoadBalancer" in said
    assert "slipway:vpcRange: 10.23.0.0/24" in written


@types('scripts/psql local -c "SELECT name FROM users"')
def test_the_database_can_be_asked(site: Clone, command: str) -> None:
    assert "Grace Hopper" in typed(site, command).stdout


@types("pulumi stack output url --stack local")
def test_the_address_is_an_output(site: Clone, command: str) -> None:
    assert typed(site, command).stdout.strip() == f"http://127.0.0.1:{site.place.web}/"


@types(
    "scripts/ssh local db sudo -iu postgres pg_dump --clean --if-exists --no-owner"
    " --no-privileges site >site.sql",
    "scripts/psql local --quiet --single-transaction --set ON_ERROR_STOP=1"
    ' -c "SET ROLE site" -f - <site.sql',
)
def test_a_dump_is_taken_and_put_in_place_of_what_was_there(
    site: Clone, command: str, then: str
) -> None:
    typed(site, command)
    dump = site.folder / "site.sql"
    before = dump.read_text()
    try:
        dump.write_text(before.replace("Grace Hopper", "Grace of before"))
        typed(site, then)
        assert "Grace of before" in site.get().text
        dump.write_text(f"{before}\nSELECT FROM no_such_table;\n")
        typed(site, then, fails=True)
        assert "Grace of before" in site.get().text, "all of it, or nothing"
        dump.write_text(before)
        typed(site, then)
    finally:
        dump.unlink()
    assert "Grace Hopper" in site.get().text
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
    assert site.run(f'scripts/psql local -tA -c "{owners}"').stdout == "site\n"


@types(
    "tar -cz -C uploads . |"
    " scripts/ssh local web sudo -u site tar -xz --no-overwrite-dir -C /srv/site/shared"
)
def test_uploads_are_brought_to_where_the_application_may_write(site: Clone, command: str) -> None:
    (site.folder / "uploads").mkdir(mode=0o700)
    (site.folder / "uploads/cat.txt").write_text("a cat\n")
    typed(site, command)
    look = "sudo stat -c '%U %a %n' /srv/site/shared /srv/site/shared/cat.txt"
    assert site.on("web", look).splitlines() == [
        "site 750 /srv/site/shared",
        "site 644 /srv/site/shared/cat.txt",
    ]
    site.on("web", "sudo rm /srv/site/shared/cat.txt")
    site.run("rm -r uploads")


@types("scripts/dev local")
def test_a_save_is_released_and_ctrl_c_ends_it(site: Clone, command: str) -> None:
    page, settings = site.folder / "app/templates/users.html", site.folder / "Pulumi.local.yaml"
    before, as_set = page.read_text(), settings.read_text()
    watching = subprocess.Popen(
        ["env", "--default-signal=INT", *command.split()],
        cwd=site.folder,
        env=site.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert watching.stdout
    try:
        wait_for(watching.stdout, "each save is released")
        page.write_text(before.replace("</h1>", " of today</h1>"))
        said = wait_for(watching.stdout, "serves after")
        assert " of today</h1>" in site.get().text, said
        settings.write_text(as_set.replace("config:\n", "config:\n  slipway:workers: 500\n", 1))
        page.write_text(before)
        said = wait_for(watching.stdout, "the release failed; the one before serves")
        # Once while the update runs, and once at its end.
        assert said.count("slipway:workers is 500: must be 1 to 128") == 2, said
        assert " of today</h1>" in site.get().text
        settings.write_text(as_set)
        page.write_text(before.replace("</h1>", " of tomorrow</h1>"))
        wait_for(watching.stdout, "serves after")
        assert " of tomorrow</h1>" in site.get().text
    finally:
        os.killpg(watching.pid, signal.SIGINT)
        rest, _ = watching.communicate(timeout=60)
        page.write_text(before)
        settings.write_text(as_set)
    assert "Traceback" not in rest
    site.run("scripts/up local")


def wait_for(lines: IO[str], wanted: str) -> str:
    said = ""
    for line in lines:
        said += line
        if wanted in line:
            return said
    raise AssertionError(f"it ended without {wanted!r}: {said}")
