"""A release on the web servers: its folder, its packages, the release command, the switch."""

import subprocess

from pyinfra import host, local
from pyinfra.facts.files import Directory
from pyinfra.operations import files, server, uv
from site_values import APP, FOLDER, RELEASE, ROOT, SITE

folder = f"{ROOT}/releases/{RELEASE}"
venv = f"{ROOT}/venvs/{SITE['requirements']}"
archive = FOLDER / "work" / f"{RELEASE}.tar.gz"

if "web" in host.groups:
    if not archive.exists():
        archive.parent.mkdir(exist_ok=True)
        subprocess.run(["tar", "-czf", archive, "-C", SITE["source"], "."], check=True)
    if not host.get_fact(Directory, path=folder):
        files.put(name="The archive", src=str(archive), dest=f"/root/{RELEASE}.tar.gz")
        server.shell(
            name="The archive is unpacked",
            commands=[
                f"mkdir {folder} && tar -xzf /root/{RELEASE}.tar.gz -C {folder} --no-same-owner"
                f" && rm /root/{RELEASE}.tar.gz"
            ],
        )
        if not host.get_fact(Directory, path=venv):
            uv.venv(name="A virtual environment", path=venv, python="/usr/bin/python3")
            uv.packages(
                name="Its packages",
                packages=[],
                requirements=f"{folder}/requirements.txt",
                extra_args=[
                    *("--python", f"{venv}/bin/python"),
                    *("--require-hashes", "--compile-bytecode"),
                ],
            )
        files.link(
            name="It has its packages",
            path=f"{folder}/.venv",
            target=f"../../venvs/{SITE['requirements']}",
        )
        server.shell(
            name="The release command, once",
            commands=[
                f"cd {folder} && set -a && . /etc/{APP}/env && set +a &&"
                f" runuser -u {APP} -- .venv/bin/python release.py"
            ],
            _run_once=True,
        )

local.include("switch.py")
