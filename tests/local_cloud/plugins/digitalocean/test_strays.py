"""What a state does not know: made by orders that are answered 504, found by the scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.local_cloud.api.conftest import KEY, TOKEN, Api
from tests.local_cloud.api.forgetful_proxy import ForgetfulProxy, forgetful
from tests.local_cloud.plugins.digitalocean.conftest import STAND_IN
from tests.local_cloud.plugins.digitalocean.plugin_process import PluginError, PluginProcess
from tests.local_cloud.plugins.digitalocean.words import SERVER, WEB, Made
from tests.unit.script_project import Project, new_project

ORDER = ("POST", "/v2/droplets")
TAG = "slipway-dev-web"


class Environment:
    """An environment of one web server, whose API is reached through a proxy that forgets."""

    def __init__(self, project: Project, api: Api, proxy: ForgetfulProxy) -> None:
        self.project, self.api, self.proxy = project, api, proxy
        wish = {"name": "slipway-dev-1234567", "region": "fra1", "ip_range": "10.10.0.0/24"}
        self.vpc = api.ok("POST", "/v2/vpcs", json=wish)["vpc"]["id"]
        api.ok("POST", "/v2/account/keys", json={"name": "key", "public_key": KEY})
        api.ok("POST", "/v2/tags", json={"name": TAG})
        project.settings(f"config:\n  digitalocean:apiEndpoint: {proxy.url}\n", "dev")
        project.environment["DIGITALOCEAN_TOKEN"] = TOKEN
        self.resources = [
            resource("vpc:Vpc", self.vpc, "slipway-dev-1234567"),
            resource("tag:Tag", TAG, TAG),
        ]
        self.save()

    def save(self) -> None:
        deployment = {"deployment": {"resources": self.resources}}
        (self.project.fake / "state").write_text(json.dumps(deployment))

    def order(self, name: str = "dev-web", **settings: float) -> None:
        """As an update does: what is made is known to the state, unless it fails."""
        inputs = {**SERVER, "name": name, "tags": [TAG], "vpcUuid": self.vpc}
        with PluginProcess(STAND_IN) as plugin:
            plugin.configure(
                {
                    "token": TOKEN,
                    "apiEndpoint": self.proxy.url,
                    "httpRetryWaitMin": 0.01,
                    **settings,
                }
            )
            made = Made(plugin, WEB, inputs).state
        self.resources.append(resource("droplet:Droplet", made["id"], name))
        self.save()

    def droplets(self) -> list[str]:
        return sorted(str(each["id"]) for each in self.api.ok("GET", "/v2/droplets")["droplets"])

    def known(self) -> list[str]:
        return [each["id"] for each in self.resources if each["type"].endswith("Droplet")]

    def before(self, *named: str) -> tuple[int, str]:
        return self._call(f"before('dev', {list(named)!r})")

    def after(self, *known: str, well: bool) -> tuple[int, str]:
        return self._call(f"after('dev', set({known!r}), well={well})")

    def away(self, *, ask: bool) -> tuple[int, str]:
        return self._call(f"away('dev', ask={ask})")

    def _call(self, what: str) -> tuple[int, str]:
        done = self.project.call(f"from cli.provider import strays\nstrays.{what}")
        assert TOKEN not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stderr


def resource(kind: str, identity: str, name: str) -> dict[str, Any]:
    kind = f"digitalocean:index/{kind}"
    address = f"urn:pulumi:dev::slipway::{kind}::{name}"
    return {"type": kind, "urn": address, "id": identity, "outputs": {"name": name}}


@pytest.fixture
def environment(tmp_path: Path, api: Api) -> Iterator[Environment]:
    with forgetful(api.url) as proxy:
        yield Environment(new_project(tmp_path / "scripts"), api, proxy)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()


def test_an_order_that_failed_is_named_before_one_more_is_given(environment: Environment) -> None:
    environment.proxy.forgets[ORDER] = 1
    with pytest.raises(PluginError, match="504"):
        environment.order(httpRetryMax=0)
    (stray,) = environment.droplets()
    status, said = environment.after(well=False)
    assert (status, f"droplet {stray} (dev-web, " in said) == (0, True), said
    status, said = environment.before()
    assert status == 1
    assert f"by: scripts/up dev --destroy {stray}\n" in said
    assert "Nothing was updated" in said
    assert environment.droplets() == [stray]

    assert environment.before(stray)[0] == 0
    assert environment.droplets() == []
    environment.order()
    assert environment.before() == (0, "")
    assert environment.droplets() == environment.known()


def test_one_that_was_ordered_twice_is_named_and_does_not_hold_up_an_update(
    environment: Environment,
) -> None:
    environment.proxy.forgets[ORDER] = 1
    environment.order()
    (known,) = environment.known()
    (stray,) = set(environment.droplets()) - {known}
    status, said = environment.after(well=True)
    assert (status, f"droplet {stray} (dev-web, " in said, known in said) == (0, True, False), said
    assert "USD a month" in said
    assert f"scripts/up dev --destroy {stray}" in said
    status, said = environment.before()
    assert (status, f"droplet {stray}" in said) == (0, True)
    assert environment.after(known, well=True) == (0, ""), "nothing was made"


def test_down_destroys_what_the_state_does_not_know(environment: Environment) -> None:
    environment.proxy.forgets[ORDER] = 1
    environment.order()
    status, said = environment.away(ask=True)
    assert (status, "nothing was changed" in said) == (1, True), "nobody has typed the name"
    assert len(environment.droplets()) == 2
    status, said = environment.away(ask=False)
    assert (status, "which its state did not know, is destroyed" in said) == (0, True)
    assert environment.droplets() == environment.known()


def test_a_load_balancer_is_one_too(environment: Environment) -> None:
    environment.order()
    (web,) = environment.known()
    rule = {"entry_protocol": "http", "entry_port": 80}
    rule |= {"target_protocol": "http", "target_port": 80}
    wish = {"region": "fra1", "vpc_uuid": environment.vpc, "droplet_ids": [int(web)]}
    wish |= {"forwarding_rules": [rule]}
    for name in ("balancer-0a1b2c3", "somebody-elses"):
        order = {**wish, "name": name}
        made = environment.api.ok("POST", "/v2/load_balancers", json=order)["load_balancer"]
        if name.startswith("balancer"):
            stray = made["id"]
    status, said = environment.before()
    assert (status, f"load balancer {stray} (balancer-0a1b2c3, " in said) == (1, True), said
    assert "somebody-elses" not in said
    assert environment.before(stray)[0] == 0
    there = environment.api.ok("GET", "/v2/load_balancers")["load_balancers"]
    assert [each["name"] for each in there] == ["somebody-elses"]


def test_what_is_not_provably_this_environments_is_left_alone(environment: Environment) -> None:
    """Another clone's environment of the same name, and what somebody put into the network."""
    environment.order()
    environment.api.droplet(name="dev-web", tags=[TAG])
    environment.api.droplet(name="dev-web", vpc_uuid=environment.vpc)
    environment.api.droplet(name="bastion", tags=[TAG], vpc_uuid=environment.vpc)
    assert len(environment.droplets()) == 4
    assert environment.before() == (0, "")
    assert environment.away(ask=False) == (0, "")
    assert len(environment.droplets()) == 4


def test_one_that_waits_to_be_destroyed_is_known(environment: Environment) -> None:
    environment.order()
    environment.resources[-1]["delete"] = True
    environment.save()
    assert environment.before() == (0, "")


def test_only_what_is_a_stray_can_be_named(environment: Environment) -> None:
    environment.order()
    (known,) = environment.known()
    status, said = environment.before(known)
    assert (status, f"--destroy is {known}: must be db, or the id" in said) == (1, True)
    assert environment.droplets() == [known]


@pytest.mark.parametrize("fault", ["nobody listens", "a wrong token", "no token"])
def test_an_api_that_does_not_answer_is_said(environment: Environment, fault: str) -> None:
    if fault == "nobody listens":
        settings = "config:\n  digitalocean:apiEndpoint: http://127.0.0.1:9\n"
        environment.project.settings(settings, "dev")
    else:
        token = "" if fault == "no token" else "wrong"
        environment.project.environment["DIGITALOCEAN_TOKEN"] = token
    status, said = environment.before()
    assert (status, "could not ask for servers that its state does not know" in said) == (0, True)
    status, said = environment.away(ask=False)
    assert (status, "would be billed on" in said) == (1, True)


def test_all_pages_are_read(environment: Environment) -> None:
    names = [f"dev-web-{number}" for number in range(2, 5)]
    for name in names:
        environment.api.droplet(name=name, tags=[TAG], vpc_uuid=environment.vpc)
    account = environment.project.run(
        "python3",
        "-c",
        "from cli.provider import account\n"
        "account.PER_PAGE = 2\n"
        "found = account.Account.of('dev').all('droplets', tag_name='slipway-dev-web')\n"
        "print(sorted(each['name'] for each in found))",
    )
    assert account.stdout == f"{names}\n", account.stderr
