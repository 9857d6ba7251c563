"""The servers, in two groups."""

import json
import os
from pathlib import Path

_site = json.loads(Path(os.environ["BENCH_SITE"], "site.json").read_text())
_ssh = {
    "ssh_user": "root",
    "ssh_key": _site["key"],
    "ssh_known_hosts_file": _site["known_hosts"],
    "ssh_strict_host_key_checking": "yes",
    "ssh_allow_agent": False,
    "ssh_look_for_keys": False,
}

web = [(each["address"], _ssh) for each in _site["web"]]
db = [(_site["db"]["address"], _ssh)]
