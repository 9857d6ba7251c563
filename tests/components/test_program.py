"""What the program asks of the engine for a whole environment."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.core import outputs, undo
from components.core.put_file import PutFile
from components.release import artifact
from tests.components.conftest import Engine, Run, is_secret, plain

APP = Path(__file__).resolve().parent.parent.parent / "app"
KEPT = "0123456789ab"


def history(*ids: str) -> dict[str, Any]:
    """The outputs after these releases, newest first; the first one serves."""
    return {
        "releases": [
            {"id": each, "released_at": "2026-01-01T00:00:00Z", "requirements": "f" * 64}
            for each in ids
        ]
    }


def remote(engine: Engine) -> list[Any]:
    return [*engine.all("remote:Command"), *engine.all("remote:CopyToRemote")]


def test_an_environment_is_a_web_and_a_db_server(run: Run) -> None:
    assert {each.name for each in run().all(":Droplet")} == {"web", "db"}


def test_more_web_servers_leave_the_first_one_as_it_is(run: Run) -> None:
    one, three = run(), run(webCount=3)
    assert {each.name for each in three.all(":Droplet")} == {"web", "web-2", "web-3", "db"}
    assert one.one("web", ":Droplet").inputs == three.one("web", ":Droplet").inputs


def test_a_server_is_named_after_its_environment_where_that_is_wished(run: Run) -> None:
    assert run(namePrefix="dev-").one("web", ":Droplet").inputs["name"] == "dev-web"


def test_every_connection_pins_the_host_key(run: Run) -> None:
    for each in remote(run(webCount=2)):
        connection = plain(each.inputs["connection"])
        assert plain(connection["hostKey"]).startswith("ssh-ed25519 "), each.name


def test_everything_on_a_server_is_done_again_when_its_droplet_is_new(run: Run) -> None:
    engine = run(webCount=2)
    droplets = {each.name for each in engine.all(":Droplet")}
    for each in remote(engine):
        named = each.inputs.get("triggers") or [undo.machine_of(each.inputs.get("delete", ""))]
        assert len(named) == 1, each.name
        assert named[0], f"{each.name} has to name its droplet"
    assert droplets


def test_private_keys_and_passwords_never_leave_as_plain_text(run: Run) -> None:
    engine = run()
    assert is_secret(engine.one("web", ":Droplet").inputs["userData"])
    assert is_secret(engine.one("web-environment").inputs["stdin"])
    assert is_secret(engine.one("database-create").inputs["stdin"])
    assert is_secret(engine.one("web-stage").inputs["stdin"])
    for each in engine.resources:
        for key, value in each.inputs.items():
            assert is_secret(value) or "PRIVATE KEY" not in repr(value), f"{each.name}.{key}"


def test_no_secret_stands_in_a_command_line(run: Run) -> None:
    for each in run().all("Command"):
        assert not is_secret(each.inputs.get("create")), each.name


def test_keys_are_generated_once_and_their_making_is_not_logged(run: Run) -> None:
    commands = run().all("local:Command")
    kept = ("-stage", "-releasectl")
    generated = [each for each in commands if not each.name.endswith(kept)]
    assert {each.name for each in generated} == {
        "deploy-key",
        "db-password",
        "web-host-key",
        "db-host-key",
    }
    assert {each.inputs["logging"] for each in generated} == {"none"}


def test_postgresql_is_open_to_the_web_servers_only(run: Run) -> None:
    rules = run().one("slipway-test-db", ":Firewall").inputs["inboundRules"]
    postgresql = next(rule for rule in rules if rule.get("portRange") == "5432")
    assert postgresql["sourceTags"] == ["slipway-test-web"]
    assert "sourceAddresses" not in postgresql


def test_the_web_port_is_the_one_that_is_open_and_listened_on(run: Run) -> None:
    engine = run(webPort=8081)
    (rule,) = engine.one("slipway-test-site", ":Firewall").inputs["inboundRules"]
    assert (rule["portRange"], rule["sourceAddresses"]) == ("8081", ["0.0.0.0/0"])
    inside = engine.one("slipway-test-web", ":Firewall").inputs["inboundRules"]
    assert {"8081": ["10.20.0.0/24"]}.items() <= {
        each.get("portRange"): each["sourceAddresses"] for each in inside
    }.items()
    assert "listen 8081 " in engine.one("web-nginx").inputs["stdin"]


def test_one_server_has_no_load_balancer_unless_it_is_asked_for(run: Run) -> None:
    assert run().all("loadBalancer:LoadBalancer") == []
    assert [each.name for each in run(loadBalancer=True).all("loadBalancer:LoadBalancer")]


def test_several_servers_are_reached_through_the_load_balancer_alone(run: Run) -> None:
    engine = run(webCount=2)
    balancer = engine.one("balancer", "loadBalancer:LoadBalancer")
    assert len(balancer.inputs["dropletIds"]) == 2
    assert balancer.inputs["healthcheck"]["path"] == "/healthz"
    (rule,) = engine.one("slipway-test-site", ":Firewall").inputs["inboundRules"]
    assert rule["sourceLoadBalancerUids"] == ["4711"]
    assert "sourceAddresses" not in rule
    # While webPort changes it comes to the port before, too; which ones is its own affair.
    assert rule["portRange"] == "1-65535"
    assert engine.exports["url"] == "http://203.0.113.80/"


def test_only_the_load_balancer_may_say_where_a_visitor_comes_from(run: Run) -> None:
    assert "set_real_ip_from 10.20.0.0/24;" in run(webCount=2).one("web-nginx").inputs["stdin"]
    assert "set_real_ip_from" not in run().one("web-nginx").inputs["stdin"]


def test_the_load_balancer_s_check_asks_for_a_name_that_the_application_answers_to(
    run: Run,
) -> None:
    def asked(**settings: Any) -> list[str]:
        engine = run(webCount=2, **settings)
        site = engine.one("web-nginx").inputs["stdin"]
        assert site.count("proxy_set_header Host $site_host;") == 2
        assert site.count("include /etc/slipway/site/health-host*.conf;") == 1
        told = engine.one("web-releasectl-settings").inputs["stdin"]
        return re.findall(r'"health_host": "(.*)"', told)

    assert asked() == ["localhost"]
    assert asked(healthHost="www.example.org") == ["www.example.org"]


def test_in_maintenance_visitors_get_a_page_and_a_check_still_the_application(
    run: Run,
) -> None:
    engine = run(maintenance="Back at <ten>.")
    site = engine.one("web-nginx").inputs["stdin"]
    assert "return 503;" in site
    assert "location = /healthz {" in site
    assert "if ($site_visitor) {" in site
    behind = run(maintenance="Back.", webCount=2)
    assert "if ($site_from) {" in behind.one("web-nginx").inputs["stdin"]
    # Nobody but visitors comes by the load balancer.
    assert '"balanced": false' in behind.one("web-releasectl-settings").inputs["stdin"]
    assert "Back at &lt;ten&gt;." in engine.one("web-maintenance").inputs["stdin"]
    assert "503" not in run().one("web-nginx").inputs["stdin"]


def test_a_folder_and_the_settings_of_a_path_are_nginx_s_on_every_server(run: Run) -> None:
    served = [
        {"path": "/content", "folder": "static", "listing": True, "cacheSeconds": 86400},
        {"path": "/upload", "maxBodySize": "100m", "requestSeconds": 300},
    ]
    engine = run(webCount=2, locations=served, compression=False)
    for server in ("web", "web-2"):
        site = engine.one(f"{server}-nginx").inputs["stdin"]
        assert "alias /srv/site/current/static/;" in site
        assert "expires 86400s;" in site
        assert "client_max_body_size 100m;" in site
        assert "gzip off;" in site
        # The application's longest patience is the app server's; all else is nginx's alone.
        assert "timeout = 300\n" in engine.one(f"{server}-gunicorn").inputs["stdin"]
    without = run(locations=served[:1])
    usual = {each.name: each.inputs for each in remote(run())}
    changed = {each.name for each in remote(without) if each.inputs != usual[each.name]}
    assert changed == {"web-nginx"}, "nothing is rolled out for it"


def test_a_folder_that_the_application_has_not_ends_the_update_before_it_begins(run: Run) -> None:
    with pytest.raises(pulumi.RunError, match="folder is content: app has no such folder"):
        run(locations=[{"path": "/content", "folder": "content"}])


def test_a_server_gets_traffic_only_once_it_serves_the_release(run: Run) -> None:
    names = [each.name for each in run(webCount=2).resources]
    assert names.index("balancer", names.index("web-2-confirm")) > names.index("web-2-confirm")


def test_hints_for_the_local_cloud_are_labels_of_the_droplets(run: Run) -> None:
    engine = run(localWebPort=8080, localWebAddress=10, localDbPort=54322, localDbAddress=20)
    assert set(engine.one("web", ":Droplet").inputs["tags"]) == {
        "slipway-test-web",
        "local:address:10",
        "local:forward:8080:80",
    }
    assert engine.exports["url"] == "http://127.0.0.1:8080/"
    several = run(localWebPort=8080, webCount=2)
    assert "local:balancer:8080:80" in several.one("web-2", ":Droplet").inputs["tags"]


def test_the_release_is_the_content_of_the_application_folder(run: Run) -> None:
    engine = run()
    wanted = artifact.identify(APP)
    assert engine.one("web-stage").inputs["create"].endswith(f" test web {wanted}")
    assert f" switch {wanted} " in engine.one("web-switch").inputs["create"]
    assert engine.exports["release"]["id"] == wanted
    assert engine.exports["release"]["released_at"] == "2026-11-20T16:00:00Z"


def test_the_release_command_runs_on_one_server_only(run: Run) -> None:
    engine = run(webCount=3)
    assert [each.name for each in engine.resources if "release-command" in each.name] == [
        "web-release-command"
    ]


def test_on_many_servers_the_way_back_stays_open_until_all_have_switched(run: Run) -> None:
    engine = run(webCount=3)
    for server in ("web", "web-2", "web-3"):
        assert "--confirm-within 127" in engine.one(f"{server}-switch").inputs["create"]
        assert " confirm " in engine.one(f"{server}-confirm").inputs["create"]
        # Else a switch that is repeated after a kill would not be confirmed, and would be reverted.
        assert f"switch of {server}-switch" in engine.one(f"{server}-confirm").inputs["create"]
    names = [each.name for each in engine.resources]
    first_switch = names.index("web-switch")
    assert all(names.index(f"{each}-start") < first_switch for each in ("web", "web-2", "web-3"))
    assert names.index("web-confirm") > names.index("web-3-switch")


def test_one_server_needs_no_confirmation(run: Run) -> None:
    engine = run()
    assert "--confirm-within" not in engine.one("web-switch").inputs["create"]
    assert not [each for each in engine.resources if each.name.endswith("-confirm")]


def test_a_release_that_comes_back_runs_no_release_command(run: Run) -> None:
    engine = run(history(KEPT), release=KEPT)
    # It is still there: for a repair, which is an update of some resources, none may be missing.
    script = engine.one("web-release-command").inputs["create"]
    assert f"true # release {KEPT} comes back" in script
    assert "release-command" not in script
    assert "COMMENT" not in engine.one("web-release-mark").inputs["create"]
    assert engine.exports["database_mark"] == ""


def test_when_the_release_command_ran_is_noted_in_its_database(run: Run) -> None:
    engine = run()
    marked = engine.one("web-release-mark").inputs["create"]
    assert "release command of Slipway: 2026-11-20T15:59:00Z" in marked
    assert engine.exports["database_mark"] == "2026-11-20T15:59:00Z"


def test_a_database_that_is_another_one_gets_what_is_missing_and_the_release_command(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = run()
    monkeypatch.setenv("SLIPWAY_DATABASE_EPOCH", "2026-11-29T02:00:00Z")
    engine = run()
    for name in ("database-create", "web-release-command"):
        script = engine.one(name).inputs["create"]
        assert "2026-11-29T02:00:00Z" in script
        assert script != plain.one(name).inputs["create"]
    monkeypatch.delenv("SLIPWAY_DATABASE_EPOCH")
    # It stays so.
    again = run({"database_epoch": engine.exports["database_epoch"]})
    for name in ("database-create", "web-release-command"):
        assert again.one(name).inputs["create"] == engine.one(name).inputs["create"]


def test_without_a_release_command_none_runs(run: Run) -> None:
    engine = run(releaseCommand="")
    assert not [each for each in engine.resources if "release-command" in each.name]


def test_a_new_release_comes_before_the_earlier_ones(run: Run) -> None:
    engine = run(history(KEPT))
    new = artifact.identify(APP)
    assert [each["id"] for each in engine.exports["releases"]] == [new, KEPT]
    assert engine.exports["previous_release"] == KEPT


def test_an_update_that_leaves_the_web_servers_out_says_what_they_serve(run: Run) -> None:
    engine = run(history(KEPT), serving=KEPT)
    assert [each["id"] for each in engine.exports["releases"]] == [KEPT]
    assert engine.exports["release"]["id"] == KEPT
    # What an update that failed has switched to is in no output yet.
    engine = run(history(KEPT), serving="b" * 12)
    assert engine.exports["release"]["id"] == "b" * 12
    assert engine.exports["release"]["released_by"] is None
    assert engine.exports["previous_release"] == KEPT


def test_what_is_not_made_yet_leaves_the_outputs_as_they_were() -> None:
    exported: dict[str, Any] = {}
    unknown = pulumi.Output.from_input(pulumi.UNKNOWN)

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def program() -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pulumi, "export", exported.__setitem__)
            outputs.export(
                {"url": unknown, "db": pulumi.Output.from_input("10.20.0.2"), "n": 1},
                {"url": "before"},
            )
        return pulumi.Output.all(exported["url"], exported["db"]).apply(
            lambda both: exported.update(zip(("url", "db"), both, strict=True))
        )

    pulumi.runtime.set_mocks(Engine(), preview=False)
    program()
    assert exported == {"url": "before", "db": "10.20.0.2", "n": 1}


def test_a_rollback_switches_to_a_kept_release_and_needs_no_archive_here(run: Run) -> None:
    new = artifact.identify(APP)
    engine = run(history(new, KEPT), release=KEPT)
    assert f" switch {KEPT} " in engine.one("web-switch").inputs["create"]
    assert engine.exports["release"]["id"] == KEPT
    assert [each["id"] for each in engine.exports["releases"]] == [new, KEPT]


def test_while_held_on_a_release_every_server_gets_that_one(run: Run) -> None:
    engine = run(history(artifact.identify(APP), KEPT), release=KEPT, webCount=2)
    for server in ("web", "web-2"):
        assert (
            engine.one(f"{server}-stage").inputs["create"].endswith(f" test {server} {KEPT} --kept")
        )


def test_a_kept_release_that_a_server_calls_bad_is_refused_and_a_new_one_is_tried(run: Run) -> None:
    back = run(last_outputs=history("a" * 12, KEPT), release=KEPT)
    assert " --kept" in back.one("web-stage").inputs["create"]
    assert " --kept" not in run().one("web-stage").inputs["create"]


def test_the_servers_are_told_who_changes_them(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_BY", "ada@laptop")
    engine = run(webCount=2)
    for server in ("web", "web-2", "db"):
        assert "printf '%s\\n' ada@laptop >" in engine.one(f"{server}-bootstrap").inputs["stdin"]
    assert engine.exports["updated"]["by"] == "ada@laptop"
    assert engine.exports["release"]["released_by"] == "ada@laptop"


def test_somebody_else_who_wants_the_same_asks_for_the_very_same_resources(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_BY", "ada@laptop")
    first = run()
    monkeypatch.setenv("SLIPWAY_BY", "grace@desk")
    second = run(last_outputs=dict(first.exports))
    scripts, same = first.all("remote:Command"), second.all("remote:Command")
    assert {each.name: each.inputs for each in same} == {each.name: each.inputs for each in scripts}
    assert second.exports == first.exports
    other = run(last_outputs=dict(first.exports), webPort=81)
    assert other.exports["updated"]["by"] == "grace@desk"
    assert other.exports["release"]["released_by"] == "ada@laptop", "it was released before"


def test_archives_of_releases_that_fell_out_of_the_history_are_let_go(
    run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "releases" / "test"
    folder.mkdir(parents=True)
    for each in (KEPT, "f" * 12):
        (folder / f"{each}.tar.gz").write_bytes(b"packed")
    (folder / "notes.txt").write_text("mine")
    run(history(KEPT))
    assert {each.name for each in folder.iterdir()} == {
        f"{KEPT}.tar.gz",
        f"{artifact.identify(APP)}.tar.gz",
        "notes.txt",
    }


def test_a_rollback_to_an_unknown_release_stops_before_anything_is_made(run: Run) -> None:
    with pytest.raises(pulumi.RunError, match=f"slipway:release is {KEPT}: .*a{{12}}") as caught:
        run(history("a" * 12), release=KEPT)
    assert "kept release" in str(caught.value)


def test_a_wrong_setting_stops_before_anything_is_made(run: Run) -> None:
    with pytest.raises(pulumi.RunError, match="slipway:webPort is 70000"):
        run(webPort=70000)


def test_a_health_that_the_load_balancer_takes_for_none_is_refused(run: Run) -> None:
    assert run(healthStatus=404).exports["url"], "without a load balancer it is as good as any"
    wanted = "slipway:healthStatus is 404: must be 200 to 399 behind a load balancer"
    with pytest.raises(pulumi.RunError, match=wanted):
        run(healthStatus=404, webCount=2)


def test_an_application_that_is_missing_stops_before_anything_is_made(run: Run) -> None:
    with pytest.raises(pulumi.RunError, match="no-such-app: there is no such folder"):
        run(appFolder="no-such-app")


def test_the_applications_variables_reach_its_environment_and_nothing_else(run: Run) -> None:
    engine = run(appEnv={"SECRET_KEY": "hush", "MODE": "fast"})
    environment = engine.one("web-environment").inputs["stdin"]
    assert is_secret(environment)
    assert 'SECRET_KEY="hush"\n' in plain(environment)
    assert 'MODE="fast"\n' in plain(environment)
    for each in engine.resources:
        for key, value in each.inputs.items():
            assert is_secret(value) or "hush" not in repr(value), f"{each.name}.{key}"
    assert "hush" not in repr(engine.exports)


def test_a_release_that_comes_back_brings_its_own_callable_along(run: Run) -> None:
    past = history(artifact.identify(APP), KEPT)
    past["releases"][1]["module"] = "shop.web:application"
    engine = run(past, release=KEPT)
    assert " shop.web:application" in engine.one("web-serve").inputs["stdin"]
    assert " wsgi:app" in run(past).one("web-serve").inputs["stdin"]
    forced = run(past, release=KEPT, appModule="other:app")
    assert " other:app" in forced.one("web-serve").inputs["stdin"]


def test_a_configuration_file_is_secret_and_named_after_its_content(run: Run) -> None:
    given = {"appConfigFile": "tests/components/app.cfg.j2", "appConfigVariable": "SHOP_CONFIG"}
    engine = run(appEnv={"SECRET_KEY": "hush"}, webCount=2, **given)
    other = run(appEnv={"SECRET_KEY": "other"}, **given)
    file = engine.one("web-2-app-config").inputs
    assert is_secret(file["stdin"])
    assert plain(file["stdin"]).startswith("key = hush\nurl = postgresql://")
    put = PutFile.in_command(file["create"])
    assert put
    path = put.path
    assert "/config-" in path
    assert (put.mode, put.owner, put.site) == ("0640", "root:site", "site")
    assert path.endswith(".cfg")
    assert f'SHOP_CONFIG="{path}"' in plain(engine.one("web-environment").inputs["stdin"])
    assert path not in other.one("web-app-config").inputs["create"]
    for each in engine.resources:
        for key, value in each.inputs.items():
            assert is_secret(value) or "hush" not in repr(value), f"{each.name}.{key}"


def test_without_a_configuration_file_nothing_is_made_of_it(run: Run) -> None:
    engine = run()
    assert not [each for each in engine.resources if each.name.endswith("app-config")]
    assert "APP_CONFIG" not in plain(engine.one("web-environment").inputs["stdin"])


def test_every_server_but_the_first_is_seen_off_when_it_goes(run: Run) -> None:
    engine = run(webCount=3, drainSeconds=7)
    found = {
        each.name: each.inputs for each in engine.all("local:Command") if "delete" in each.inputs
    }
    assert set(found) == {"web-2-drain", "web-3-drain"}
    inputs = found["web-2-drain"]
    assert "create" not in inputs, "it would run at every update"
    assert "timeout 12 sudo releasectl --app site drain-server" in inputs["delete"]
    assert is_secret(inputs["stdin"])
    assert "PRIVATE KEY" in plain(inputs["stdin"])


def test_servers_are_told_of_their_load_balancer_and_forget_it_with_it(run: Run) -> None:
    inputs = run(webCount=2).one("web-2-balancer").inputs
    assert plain(inputs["stdin"]).startswith("203.0.113.80 web-2\n")
    assert "slipway-remove /etc/slipway/site/balancer" in plain(inputs["delete"])
    alone = run()
    assert not [each.name for each in alone.resources if each.name.endswith("-balancer")]


# Several sites

SHOP: dict[str, Any] = {
    "appName": "shop",
    "serverNames": ["shop.example.org"],
    "appFolder": "examples/plain",
    "releaseCommand": "",
    "appEnv": {"KEY": "hush-hush"},
}


def asked(engine: Engine) -> dict[str, Any]:
    return {f"{each.type} {each.name}": each.inputs for each in engine.resources}


def test_a_further_site_leaves_all_that_there_is_as_it_is(run: Run) -> None:
    one, two = asked(run(webCount=2)), asked(run(webCount=2, sites=[SHOP]))
    changed = {name.split()[1] for name, inputs in one.items() if two[name] != inputs}
    # The application's name is not in the way in; who may log in at PostgreSQL is one file.
    assert changed == {"database-pg-hba"}
    more = {name.split()[1] for name in two.keys() - one.keys()}
    assert all("shop" in name for name in more)
    assert {"web-shop-nginx", "web-2-shop-switch", "database-shop-create"} <= more


def test_each_site_has_a_database_a_password_and_releases_of_its_own(run: Run) -> None:
    engine = run(sites=[SHOP])
    hba = engine.one("database-pg-hba").inputs["stdin"]
    assert 'hostssl "site"  "site"' in hba
    assert 'hostssl "shop"  "shop"' in hba
    assert 'CREATE DATABASE "shop"' in engine.one("database-shop-create").inputs["create"]
    environment = plain(engine.one("web-shop-environment").inputs["stdin"])
    assert "hush-hush" in environment
    assert 'DATABASE_URL="postgresql://shop:' in environment
    assert "hush-hush" not in plain(engine.one("web-environment").inputs["stdin"])
    wanted = artifact.identify(APP.parent / "examples/plain")
    assert f" test/shop web {wanted}" in engine.one("web-shop-stage").inputs["create"]
    assert (
        f"--app shop --by @/etc/slipway/updated-by switch {wanted}"
        in (engine.one("web-shop-switch").inputs["create"])
    )


def test_the_outputs_of_the_first_site_stay_where_they_are(run: Run) -> None:
    one, two = run().exports, run(sites=[SHOP]).exports
    assert "sites" not in one
    changed = dict.fromkeys(["sites", "updated", "visits", "records_to_set"])
    assert {**two, **changed} == {**one, **changed}
    assert two["visits"]["site"] == one["visits"]["site"]
    assert two["records_to_set"] == ["shop.example.org A 203.0.113.7"]
    assert two["visits"]["shop"]["host"] == "shop.example.org"
    shop = two["sites"]["shop"]
    assert shop["server_names"] == ["shop.example.org"]
    assert shop["release"]["id"] == artifact.identify(APP.parent / "examples/plain")
    assert shop["previous_release"] == ""


def test_every_site_is_checked_through_the_load_balancer_and_the_first_is_its_health(
    run: Run,
) -> None:
    engine = run(webCount=2, sites=[{**SHOP, "healthPath": "/shop-health"}])
    assert (
        engine.one("balancer", "loadBalancer:LoadBalancer").inputs["healthcheck"]["path"]
        == "/healthz"
    )
    for name, app in (("web-2-balancer", "site"), ("web-2-shop-balancer", "shop")):
        assert f"/etc/slipway/{app}/balancer" in engine.one(name).inputs["create"]
    names = [each.name for each in engine.resources]
    assert names.index("balancer", names.index("web-2-shop-confirm")) > 0


def test_a_server_has_the_packages_of_all_its_sites(run: Run) -> None:
    shop = {**SHOP, "appServer": "mod_wsgi", "supervisor": "supervisor"}
    packages = run(sites=[shop]).one("web-packages").inputs["create"]
    assert "libapache2-mod-wsgi-py3" in packages
    assert "supervisor" in packages


def test_each_site_goes_back_by_itself(run: Run) -> None:
    now = run(sites=[SHOP]).exports["sites"]["shop"]["releases"]
    before = {**history(KEPT), "sites": {"shop": {"releases": [*now, *history(KEPT)["releases"]]}}}
    engine = run(before, sites=[{**SHOP, "release": KEPT}])
    assert f" switch {KEPT} " in engine.one("web-shop-switch").inputs["create"]
    assert engine.exports["sites"]["shop"]["release"]["id"] == KEPT
    assert engine.exports["release"]["id"] == artifact.identify(APP)
    with pytest.raises(
        pulumi.RunError, match=r"slipway:sites\[0\].release is a{12}: must be a kept"
    ):
        run(before, sites=[{**SHOP, "release": "a" * 12}])


def test_a_site_that_leaves_is_taken_away_from_each_server_that_stays(run: Run) -> None:
    leaves = run(webCount=2, sites=[SHOP]).one("web-2-shop-site").inputs["delete"]
    assert leaves.endswith("slipway-remove --site shop'")


def test_two_sites_on_one_name_end_the_update_before_it_begins(run: Run) -> None:
    with pytest.raises(pulumi.RunError, match=r"has shop\.example\.org, and so has"):
        run(sites=[SHOP, {**SHOP, "appName": "other"}])
