"""The plugin itself: its resources and its configuration. `start.py` runs `main`."""

from __future__ import annotations

import sys

from local_cloud.plugins import shared_server
from local_cloud.plugins.digitalocean import configuration
from local_cloud.plugins.digitalocean.api import Api, Settings
from local_cloud.plugins.digitalocean.certificate import CERTIFICATE
from local_cloud.plugins.digitalocean.dns_record import DNS_RECORD
from local_cloud.plugins.digitalocean.domain import DOMAIN, GET_DOMAIN, get_domain
from local_cloud.plugins.digitalocean.droplet import DROPLET
from local_cloud.plugins.digitalocean.firewall import FIREWALL
from local_cloud.plugins.digitalocean.load_balancer import LOAD_BALANCER
from local_cloud.plugins.digitalocean.reserved_ip import RESERVED_IP
from local_cloud.plugins.digitalocean.resource import StandInResource
from local_cloud.plugins.digitalocean.ssh_key import SSH_KEY
from local_cloud.plugins.digitalocean.tag import TAG
from local_cloud.plugins.digitalocean.vpc import VPC
from local_cloud.plugins.shared_diff import Diff, diff_of_inputs
from local_cloud.plugins.shared_provider import Checked, CheckFailure, PluginError, Provider
from local_cloud.plugins.shared_values import Properties, Value, revealed

TABLES = (
    *(VPC, TAG, SSH_KEY, DROPLET, FIREWALL, LOAD_BALANCER),
    *(CERTIFICATE, DOMAIN, DNS_RECORD, RESERVED_IP),
)


class DigitalOcean(Provider):
    """The plugin `digitalocean` 4.84.1."""

    def __init__(self) -> None:
        self._api = Api(Settings())
        resources = {table.token: StandInResource(table, lambda: self._api) for table in TABLES}
        super().__init__("digitalocean", "4.84.1", resources)

    def check_config(self, inputs: Properties) -> Checked:
        try:
            failures = configuration.failures(revealed(inputs))
        except configuration.WrongSetting as error:
            raise PluginError(str(error)) from None
        return Checked(inputs, [CheckFailure("", reason) for reason in failures])

    def diff_config(self, old_inputs: Properties, new_inputs: Properties) -> Diff:
        return diff_of_inputs(old_inputs, new_inputs)

    async def configure(self, inputs: Properties) -> None:
        self._api = Api(configuration.settings_from(revealed(inputs)))

    async def invoke(self, token: str, arguments: Properties) -> dict[str, Value]:
        """Of the functions there is the one that finds a domain."""
        if token == GET_DOMAIN:
            return await get_domain(self._api, revealed(arguments))
        return await super().invoke(token, arguments)


def main(arguments: list[str]) -> None:
    shared_server.serve(DigitalOcean(), arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
