"""What cloud-init reads in a machine: the NoCloud seed, pure text.

https://cloudinit.readthedocs.io/en/latest/reference/datasources/nocloud.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from local_cloud.machine import MachineSpec

FOLDER = "/var/lib/cloud/seed/nocloud"


def render(spec: MachineSpec) -> Mapping[str, str]:
    """The files of the seed, by path. `user-data` may hold secrets."""
    return {
        f"{FOLDER}/meta-data": _yaml(
            {
                "instance-id": f"{spec.id}",
                "local-hostname": spec.name,
                "region": spec.region,
                "public-keys": list(spec.ssh_keys),
            }
        ),
        # cloud-init wants the file, also when there is nothing to say.
        f"{FOLDER}/user-data": spec.user_data or "#cloud-config\n{}\n",
    }


def _yaml(content: Mapping[str, object]) -> str:
    """JSON is YAML, and quotes what a name may hold."""
    return json.dumps(content, indent=2) + "\n"
