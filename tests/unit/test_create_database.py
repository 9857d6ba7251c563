"""The application's role and database, and the mark in it: on a real PostgreSQL."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.servers import database_marks
from components.core.render import render
from tests.app.conftest import PostgreSQL

Create = Callable[..., subprocess.CompletedProcess[str]]
SCRIPT = "create_database.sh"


@pytest.fixture(scope="module")
def cluster() -> Iterator[PostgreSQL]:
    """Its administrator is called app, and needs no password; everybody else does."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found or not shutil.which("setpriv"):
        pytest.skip("needs PostgreSQL's server programs (apt-get install postgresql) and setpriv")
    with tempfile.TemporaryDirectory(prefix="slipway-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        database = PostgreSQL(found[-1].parent, folder)
        try:
            (folder / "data" / "pg_hba.conf").write_text(
                "local all app trust\nlocal all all scram-sha-256\n"
            )
            database.ask("SELECT pg_reload_conf()")
            yield database
        finally:
            database.stop()


@pytest.fixture
def create(cluster: PostgreSQL, tmp_path: Path) -> Create:
    """Run the script with a `runuser` that leads to the cluster of the test."""
    runuser = tmp_path / "runuser"
    runuser.write_text('#!/bin/sh\nshift 3\nexec "$@"\n')  # without "-u postgres --"
    runuser.chmod(0o755)
    note = tmp_path / "slipway-note"
    note.write_text("#!/bin/sh\n")
    note.chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}:{cluster.programs}:{os.environ['PATH']}",
        "PGHOST": str(cluster.folder),
        "PGUSER": "app",
        "PGDATABASE": "postgres",
    }

    def run(
        password: str, name: str = "site", *, script: str = ""
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", script or render(SCRIPT, role=name, database=name, epoch=""), "sh", name],
            input=password,
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )

    return run


def connects(cluster: PostgreSQL, password: str, *, role: str, database: str) -> bool:
    psql = [str(cluster.programs / "psql"), "-h", str(cluster.folder), "-U", role]
    done = subprocess.run(
        [*psql, "-Atc", "SELECT 1", database],
        capture_output=True,
        text=True,
        env={"PGPASSWORD": password},
        check=False,
    )
    return done.returncode == 0


def test_the_application_may_connect_to_its_database_and_owns_it(
    cluster: PostgreSQL, create: Create
) -> None:
    assert create("secret").returncode == 0
    assert connects(cluster, "secret", role="site", database="site")
    assert not connects(cluster, "wrong", role="site", database="site")
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'site'"
    assert cluster.ask(owner).strip() == "site"


def test_a_second_run_changes_nothing(cluster: PostgreSQL, create: Create) -> None:
    create("secret")
    done = create("secret")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert connects(cluster, "secret", role="site", database="site")


def test_a_new_password_is_the_only_one(cluster: PostgreSQL, create: Create) -> None:
    create("secret")
    create("newer")
    assert connects(cluster, "newer", role="site", database="site")
    assert not connects(cluster, "secret", role="site", database="site")


@pytest.mark.parametrize(
    "password", ["it's", "'); DROP ROLE site; --", "$HOME `id`", "back\\slash", 'quo"te', "süß :x"]
)
def test_any_password_is_taken_as_it_is(cluster: PostgreSQL, create: Create, password: str) -> None:
    done = create(password)
    assert done.returncode == 0, done.stderr
    assert connects(cluster, password, role="site", database="site")


@pytest.mark.parametrize("name", ["user", "order", "all", "table"])
def test_a_name_that_sql_uses_itself_is_a_name(
    cluster: PostgreSQL, create: Create, name: str
) -> None:
    done = create("secret", name)
    assert done.returncode == 0, done.stderr
    assert connects(cluster, "secret", role=name, database=name)


def test_no_other_role_may_connect_to_the_database(cluster: PostgreSQL, create: Create) -> None:
    create("secret", "site")
    create("other", "shop")
    assert not connects(cluster, "other", role="shop", database="site")


def test_the_application_is_no_administrator(cluster: PostgreSQL, create: Create) -> None:
    create("secret")
    may = "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles"
    assert cluster.ask(f"{may} WHERE rolname = 'site'").strip() == "f|f|f|f"


def test_the_password_is_kept_as_scram(cluster: PostgreSQL, create: Create) -> None:
    create("secret")
    kept = cluster.ask("SELECT rolpassword FROM pg_authid WHERE rolname = 'site'")
    assert kept.startswith("SCRAM-SHA-256$")


def test_a_failure_tells_the_password_to_nobody(cluster: PostgreSQL, create: Create) -> None:
    create("secret")
    cluster.ask("ALTER SYSTEM SET default_transaction_read_only = on")
    cluster.ask("SELECT pg_reload_conf()")
    try:
        done = create("5ec4e7")
    finally:
        cluster.ask("ALTER SYSTEM RESET default_transaction_read_only")
        cluster.ask("SELECT pg_reload_conf()")
    assert done.returncode != 0
    assert "read-only" in done.stderr
    said = done.stdout + done.stderr + (cluster.folder / "log").read_text()
    assert "read-only" in (cluster.folder / "log").read_text()
    assert "5ec4e7" not in said


def test_a_dump_takes_the_mark_of_the_release_command_along(
    cluster: PostgreSQL, create: Create
) -> None:
    earlier, later = "2026-11-20T16:00:00Z", "2026-11-29T02:00:00Z"

    def mark(ran_at: str) -> None:
        done = create("", script=render("mark_database.sh", database="site", mark=ran_at))
        assert (done.returncode, done.stderr) == (0, "")

    def is_another_one() -> bool:
        said = create("", script=database_marks.LOOK)
        assert said.returncode == 0, said.stderr
        return database_marks.others({"site": later}, said.stdout) == ["site"]

    def again(command: str) -> None:
        done = create("", script=command)
        assert done.returncode == 0, done.stderr

    dump = cluster.folder / "dump"
    assert create("secret").returncode == 0
    assert is_another_one()
    mark(earlier)
    again(f"pg_dump --dbname site >{dump}")
    assert is_another_one()
    mark(later)
    mark(later)
    assert not is_another_one()
    again("dropdb site")
    assert is_another_one()
    assert create("secret").returncode == 0
    again(f"psql -q --set ON_ERROR_STOP=1 --dbname site <{dump}")
    assert is_another_one()
    mark(later)
    assert not is_another_one()


def test_where_postgresql_does_not_answer_nothing_is_said_of_a_database(create: Create) -> None:
    done = create("", script=f"PGHOST=/nowhere\n{database_marks.LOOK}")
    assert done.returncode != 0
