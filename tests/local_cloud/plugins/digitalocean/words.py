"""What the stories here say again and again: types, inputs, and the steps of the engine."""

from __future__ import annotations

from typing import Any

from tests.local_cloud.api.conftest import KEY
from tests.local_cloud.plugins.digitalocean.plugin_process import PluginProcess, urn

VPC = urn("digitalocean:index/vpc:Vpc", "net")
TAG = urn("digitalocean:index/tag:Tag", "role")
KEY_PAIR = urn("digitalocean:index/sshKey:SshKey", "deploy")
WEB = urn("digitalocean:index/droplet:Droplet", "web")
FIREWALL = urn("digitalocean:index/firewall:Firewall", "guard")
ZONE = urn("digitalocean:index/domain:Domain", "zone")
RECORD = urn("digitalocean:index/dnsRecord:DnsRecord", "www")

SERVER: dict[str, Any] = {
    "name": "web",
    "region": "fra1",
    "size": "s-1vcpu-1gb",
    "image": "debian-12-x64",
    "userData": "#cloud-config\n",
    "tags": ["web"],
}
SSH_RULE: dict[str, Any] = {
    "protocol": "tcp",
    "portRange": "22",
    "sourceAddresses": ["0.0.0.0/0", "::/0"],
}
WEB_RULE: dict[str, Any] = {
    "protocol": "tcp",
    "portRange": "80",
    "sourceAddresses": ["10.0.0.0/8"],
}
GUARD: dict[str, Any] = {"name": "guard", "inboundRules": [SSH_RULE, WEB_RULE]}
ALIAS: dict[str, Any] = {
    "domain": "example.com",
    "type": "CNAME",
    "name": "www",
    "value": "shop.example.org.",
}
PUBLIC_KEY = KEY


class Made:
    """A resource of a story, with what the engine would keep of it."""

    def __init__(self, plugin: PluginProcess, address: str, program: dict[str, Any]) -> None:
        self.plugin = plugin
        self.address = address
        self.program = program
        self.inputs = plugin.check(address, program)["inputs"]
        answer = plugin.create(address, self.inputs)
        self.id: str = answer["id"]
        self.state: dict[str, Any] = answer["properties"]

    def inputs_for(self, **changes: Any) -> dict[str, Any]:
        wanted = {**self.program, **changes}
        given = {name: value for name, value in wanted.items() if value is not None}
        inputs: dict[str, Any] = self.plugin.check(self.address, given, self.inputs)["inputs"]
        return inputs

    def diff(self, ignore: tuple[str, ...] = (), **changes: Any) -> dict[str, Any]:
        """What the engine would hear if the program changed like this."""
        inputs = self.inputs_for(**changes)
        return self.plugin.diff(self.address, self.id, self.inputs, self.state, inputs, ignore)

    def preview(self, **changes: Any) -> dict[str, Any]:
        inputs = self.inputs_for(**changes)
        return self.plugin.update(
            self.address, self.id, self.inputs, self.state, inputs, preview=True
        )

    def update(self, **changes: Any) -> dict[str, Any]:
        inputs = self.inputs_for(**changes)
        answer = self.plugin.update(self.address, self.id, self.inputs, self.state, inputs)
        self.program, self.inputs = {**self.program, **changes}, inputs
        self.state = answer["properties"]
        return self.state

    def refresh(self) -> dict[str, Any]:
        return self.plugin.read(self.address, self.id, self.state, self.inputs)

    def delete(self) -> None:
        self.plugin.delete(self.address, self.id, self.state)
