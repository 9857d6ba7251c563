"""Fabric: all web servers at once (ThreadingGroup), on each one connection and few commands.

Fabric has no modules: what runs on a server is the shell of common/.
"""

import json
import os
import shlex
import tarfile
from io import BytesIO
from pathlib import Path

from fabric import Connection, ThreadingGroup
from invoke import task
from jinja2 import Template
from paramiko import RejectPolicy

COMMON = Path(__file__).resolve().parent.parent / "common"
FOLDER = Path(os.environ["BENCH_SITE"])
SITE = json.loads((FOLDER / "site.json").read_text())
FILES = ("site.conf", "app.service", "app.socket", "env")
GIVEN = ("app", "site_port", "release", "requirements", "uv", "password", "network")


def connection(host):
    made = Connection(host, user="root", connect_kwargs={"key_filename": SITE["key"]})
    made.client.load_host_keys(SITE["known_hosts"])
    made.client.set_missing_host_key_policy(RejectPolicy())
    return made


web = ThreadingGroup.from_connections([connection(each["address"]) for each in SITE["web"]])
db = connection(SITE["db"]["address"])


def script(name):
    """A script of common/ with what it is given before it."""
    given = "".join(f"export {each}={shlex.quote(str(SITE[each]))}; " for each in GIVEN)
    return given + (COMMON / name).read_text()


def unpacked(name, archive):
    """The same of an archive that was put there."""
    there = archive.removesuffix(".tar.gz")
    given = "".join(f"export {each}={shlex.quote(str(SITE[each]))}; " for each in GIVEN)
    return (
        f"mkdir -p {there} && tar -xzf {archive} -C {there} && {given} bash {there}/{name} {there}"
        f" && rm -rf {there} {archive}"
    )


def archive_of(files):
    made = BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, BytesIO(content))
    return made.getvalue()


def put(group, content, path):
    """Each server its own file object: they are read at the same time."""
    file = FOLDER / "work" / Path(path).name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    group.put(str(file), path)


def prepare():
    values = {**SITE, "db": SITE["db"]["private"]}
    rendered = {
        name: (Template((COMMON / f"{name}.j2").read_text()).render(values) + "\n").encode()
        for name in FILES
    }
    there = f"/root/{SITE['app']}-web.tar.gz"
    put(web, archive_of(rendered | {"web.sh": (COMMON / "web.sh").read_bytes()}), there)
    web.run("set -e; " + unpacked("web.sh", there), hide=True)


def prepare_database():
    there = f"/root/{SITE['app']}-database.tar.gz"
    files = {name: (COMMON / name).read_bytes() for name in ("database.sh", "create_database.sql")}
    put(db, archive_of(files), there)
    db.run("set -e; " + unpacked("database.sh", there), hide=True)


def pack():
    archive = FOLDER / "work" / f"{SITE['release']}.tar.gz"
    archive.parent.mkdir(exist_ok=True)
    if not archive.exists():
        with tarfile.open(archive, "w:gz", compresslevel=6) as packed:
            packed.add(SITE["source"], arcname=".")
    return archive


def ship():
    archive = pack()
    there = f"/root/{SITE['release']}.tar.gz"
    web.put(str(archive), there)
    web.run(f"set -e; {{ {script('stage.sh')}\n}} <{there}; rm -f {there}", hide=True)
    web[0].run(script("release_command.sh"), hide=True)
    web.run(script("switch.sh"), hide=True)


@task
def everything(_):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor() as threads:
        for each in [threads.submit(prepare_database), threads.submit(prepare)]:
            each.result()
    ship()


@task
def release(_):
    ship()


@task
def rollback(_):
    web.run(script("switch.sh"), hide=True)
