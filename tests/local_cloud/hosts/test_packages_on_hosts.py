"""Stories of packages: a machine reaches the registries, and what was fetched once is at hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local_cloud.hosts.package_cache import PackageCache
from local_cloud.machine import Network

if TYPE_CHECKING:
    from tests.local_cloud.hosts.conftest import Site

pytestmark = pytest.mark.hosts


def test_apt_installs_through_the_shared_cache(busy_site: Site) -> None:
    web = busy_site.machines["web"]
    cache = busy_site.hypervisor.cache / "apt/packages"

    used = busy_site.says(web, "apt-get update -q -o Debug::Acquire::http=true 2>&1 | head -300")
    busy_site.says(web, "apt-get install -qq -y python3-venv")

    assert f"{web.public.gateway}:3142" in used
    assert list(cache.rglob("python3-venv*.deb"))


def test_apt_goes_on_without_the_cache(busy_site: Site, tmp_path: Path) -> None:
    db, hypervisor = busy_site.machines["db"], busy_site.hypervisor
    shared = hypervisor.package_cache
    # One of its own to kill, as the shared one also serves other clouds of this user.
    hypervisor.package_cache = PackageCache(tmp_path)
    try:
        hypervisor.apply_network(Network())
        busy_site.says(db, "apt-get update -qq")
        assert list((tmp_path / "apt/packages").glob("mirror*")), "it was in use"
        hypervisor.package_cache.leave(hypervisor.names.tag)
        assert hypervisor.package_cache.port() is None
        busy_site.says(db, "rm -rf /var/lib/apt/lists/* && apt-get update -qq")
        assert "dists" in busy_site.says(db, "ls -R /var/lib/apt/lists")
    finally:
        hypervisor.package_cache.leave(hypervisor.names.tag)
        hypervisor.package_cache = shared
        hypervisor.apply_network(Network())


def test_the_cache_serves_debian_packages_and_is_no_way_to_other_services(busy_site: Site) -> None:
    web = busy_site.machines["web"]
    proxy = f"http://{web.public.gateway}:3142"
    for wanted in ("http://127.0.0.1:80/x.deb", f"http://{web.private.address}/x.deb"):
        status = busy_site.says(
            web, f"curl -s -o /dev/null -w '%{{http_code}}' -x {proxy} {wanted} || true"
        )
        assert status == "403"


def test_pip_and_uv_share_their_wheels_between_machines(busy_site: Site) -> None:
    web = busy_site.machines["web"]
    busy_site.says(web, "dpkg -s python3-venv >/dev/null || apt-get update -qq")
    busy_site.says(web, "apt-get install -qq -y python3-venv")
    busy_site.says(web, "python3 -m venv /opt/tools && /opt/tools/bin/pip install -q uv")
    busy_site.says(
        web,
        "/opt/tools/bin/uv venv -q /opt/app && "
        "VIRTUAL_ENV=/opt/app /opt/tools/bin/uv pip install -q itsdangerous",
    )

    assert busy_site.says(web, "/opt/tools/bin/uv cache dir") == "/var/cache/slipway/uv"
    assert list((busy_site.hypervisor.cache / "uv").iterdir())
    # Some indexes forbid pip to keep what it fetched, so only its place is sure.
    assert busy_site.says(web, "/opt/tools/bin/pip cache dir") == "/var/cache/slipway/pip"
    assert busy_site.says(web, "findmnt -n -o TARGET /var/cache/slipway/pip")


def test_a_person_without_root_may_use_pip_and_uv_too(busy_site: Site) -> None:
    web = busy_site.machines["web"]
    warnings = busy_site.says(web, "runuser -l deploy -c '/opt/tools/bin/uv cache dir'")
    assert warnings == "/home/deploy/.cache/uv"
