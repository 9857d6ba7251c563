"""A second clone beside the first, in a folder of any name, which is moved while it is up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clone import Clone, Place, copy_of_the_project, traces, write_settings
from tests.typed import types

pytestmark = pytest.mark.hosts


@types(
    "pulumi config set-all --stack local"
    " --plaintext digitalocean:apiEndpoint=http://127.0.0.1:7301 --plaintext localWebPort=8081"
    " --plaintext localTlsPort=8444 --plaintext localDbPort=54323"
    " --plaintext vpcRange=192.168.101.0/24"
    " --plaintext acmeServer=https://acme.cloud.localhost:14001/dir"
)
def test_one_line_makes_room_for_it_and_it_may_be_moved(
    site: Clone, tmp_path: Path, command: str
) -> None:
    folder = tmp_path / "50% off? #2 of two"
    folder.mkdir()
    place = Place(number=Place().number + 9)
    second = copy_of_the_project(folder, place)
    # As a clone has them: those of the first one.
    write_settings(Clone(folder, site.environment, site.place))
    refused = second.run("scripts/up local --only db", fails=True).stderr
    assert f"port {site.place.api} on 127.0.0.1 is taken by another program" in refused
    assert "pulumi config set digitalocean:apiEndpoint http://127.0.0.1:" in refused

    for documented, own in (
        ("127.0.0.1:7301", f"127.0.0.1:{place.api}"),
        ("8081", str(place.web)),
        ("8444", str(place.tls)),
        ("54323", str(place.db)),
        ("192.168.101.", f"{place.network}."),
        (":14001/", f":{place.acme}/"),
    ):
        assert documented in command
        command = command.replace(documented, own)
    second.pulumi(command.removeprefix("pulumi "))
    try:
        assert "local: the database is up" in second.run("scripts/up local --only db").stderr
        assert site.get().status_code == 200

        folder = folder.rename(tmp_path / "moved")
        moved = Clone(folder, second.environment, place)
        said = moved.run("scripts/up local --only db").stderr
        assert "this clone was moved: its droplets boot again" in said
        # As after a power cut, PostgreSQL reads its journal first.
        moved.on("db", "timeout 60 sh -c 'until pg_isready; do sleep 0.5; done'")
        left = [line for line in traces(second) if place.network not in line]
        assert left == [], "nothing of the old place is left"
    finally:
        Clone(folder, second.environment, place).run("scripts/down local")
    assert site.get().status_code == 200
