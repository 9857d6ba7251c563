"""Renewals, and all that can go wrong with one: what served goes on serving."""

from __future__ import annotations

import pytest

from tests.https.named import ALIAS, NAME, Named

pytestmark = pytest.mark.hosts

FOLDER = "/etc/slipway/site/tls"


def test_a_renewal_is_not_noticed_by_visitors(named: Named) -> None:
    before = named.serial()
    with named.visited():
        named.site.run("scripts/certificates local renew --site site")
    assert named.serial() != before
    assert named.status()["last"]["outcome"] == "ordered"


def test_without_need_nothing_is_ordered(named: Named) -> None:
    orders = named.orders
    named.certctl("keep --hurry")
    assert named.orders == orders


def test_the_timer_looks_by_itself(named: Named) -> None:
    listed = named.servers.everywhere("systemctl list-timers --all", "web")["web"]
    assert "slipway-certificates.timer" in listed
    named.servers.everywhere("sudo systemctl start slipway-certificates.service", "web")


def test_when_the_ca_wants_it_renewed_the_timer_does_so(named: Named) -> None:
    # Else the certificate may be of an earlier start of the CA, which has forgotten it.
    named.site.run("scripts/certificates local renew --site site")
    before = named.serial()
    chain = named.servers.everywhere(f"sudo cat {FOLDER}/chain.pem", "web")["web"]
    named.ca_wants_renewed(chain[chain.index("-----BEGIN") :])
    with named.visited():
        # It would ask the CA again some hours later.
        forget = "sudo rm /var/lib/slipway/certificates/site.json"
        run = "sudo systemctl start slipway-certificates.service"
        named.servers.everywhere(f"{forget} && {run}", "web")
    assert named.serial() != before


def test_while_the_ca_is_away_the_old_one_serves_and_it_is_told(named: Named) -> None:
    before = named.serial()
    with named.ca_away(), named.visited():
        said = named.site.run("scripts/certificates local renew --site site", fails=True)
        assert "the CA cannot be asked" in said.stderr
        assert "the last renewal failed" in named.servers.status(exits=1)
    assert named.serial() == before
    # It has lost all accounts meanwhile, too.
    named.site.run("scripts/certificates local renew --site site")
    assert named.serial() != before
    named.servers.status(exits=0)


@pytest.mark.parametrize("name", [NAME, ALIAS])
def test_a_name_that_leads_elsewhere_costs_no_order(named: Named, name: str) -> None:
    before, orders = named.serial(), named.orders
    with named.leads_elsewhere(name):
        said = named.site.run("scripts/certificates local renew --site site", fails=True)
        assert f"{name} leads to 203.0.113.99" in said.stderr
    assert (named.serial(), named.orders) == (before, orders)


def test_one_site_s_trouble_is_not_another_s(named: Named) -> None:
    shop = named.serial(app="shop")
    with named.leads_elsewhere(NAME):
        named.site.run("scripts/certificates local renew --site shop")
    assert named.serial(app="shop") != shop


@pytest.mark.parametrize(
    "harm",
    [
        f"truncate -s 0 {FOLDER}/chain.pem",
        f"rm {FOLDER}/chain.pem",
        f"cp /etc/slipway/shop/tls/chain.pem {FOLDER}/chain.pem",
        f"head -c 600 {FOLDER}/chain.pem >/tmp/half && cp /tmp/half {FOLDER}/chain.pem",
    ],
    ids=["emptied", "removed", "of a foreign key", "cut off"],
)
def test_a_chain_that_was_spoilt_is_put_right_without_an_outage(named: Named, harm: str) -> None:
    with named.visited():
        named.servers.everywhere(f"sudo sh -c '{harm}'", "web")
        named.certctl("keep --hurry")
        named.servers.everywhere("sudo nginx -t -q", "web")
    assert named.get().status == 200


def test_after_a_reboot_it_is_still_there(named: Named) -> None:
    before, orders = named.serial(), named.orders
    named.site.reboot("web")
    assert (named.serial(), named.orders) == (before, orders)


def test_a_release_and_a_rollback_are_not_noticed_over_https(named: Named) -> None:
    served = named.servers.id_of_the_application()
    with named.visited() as visitors:
        with named.servers.edited("app/templates/users.html", "<h1>", "<h1>Over TLS: ") as new:
            named.servers.up()
        named.site.run("scripts/rollback local")
    assert set(visitors.seen) == {served, new}
    named.site.pulumi("config rm release --stack local")
    named.servers.end_on(served)
