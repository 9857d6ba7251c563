"""The release command leaves the same database behind, however often and at once it runs."""

import subprocess
from collections.abc import Callable

from tests.app.conftest import PostgreSQL

ReleaseCommand = Callable[[], subprocess.Popen[str]]
USERS = "SELECT name FROM users ORDER BY id"


def test_it_creates_the_table_and_the_two_users(
    release_command: ReleaseCommand, database: PostgreSQL
) -> None:
    output, _ = release_command().communicate(timeout=20)
    assert output == "table users is ready, 2 users added\n"
    assert database.ask(USERS) == "Ada Lovelace\nGrace Hopper\n"


def test_a_second_run_changes_nothing(
    release_command: ReleaseCommand, database: PostgreSQL
) -> None:
    release_command().wait(20)
    output, _ = release_command().communicate(timeout=20)
    assert output == "table users is ready, 0 users added\n"
    assert database.ask("SELECT max(id) FROM users") == "2\n"


def test_several_at_once_agree(release_command: ReleaseCommand, database: PostgreSQL) -> None:
    running = [release_command() for _ in range(4)]
    outputs = [process.communicate(timeout=30)[0] for process in running]
    assert [process.returncode for process in running] == [0] * 4, outputs
    assert database.ask(USERS) == "Ada Lovelace\nGrace Hopper\n"


def test_without_a_database_it_fails_without_telling_the_password(
    release_command: ReleaseCommand, database: PostgreSQL
) -> None:
    database.stop()
    try:
        process = release_command()
        output, _ = process.communicate(timeout=20)
    finally:
        database.start()
    assert process.returncode != 0
    assert "connection" in output
    assert "secret" not in output
