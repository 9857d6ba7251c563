"""The release command: brings the database to what this release expects.

Run once for each release, before any of its servers starts. Safe to run again, and at the same
time as another: an advisory lock lets one of them work while the other waits.
"""

import os

import psycopg

#: Any number will do, as long as every release command of this application takes the same one.
LOCK = 7_301_001

USERS = ("Ada Lovelace", "Grace Hopper")


def main() -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=10) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        connection.execute(
            """
            CREATE TABLE IF NOT EXISTS users (
                id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                name text NOT NULL UNIQUE
            )
            """
        )
        added = 0
        for name in USERS:
            added += connection.execute(
                "INSERT INTO users (name) SELECT %(name)s"
                " WHERE NOT EXISTS (SELECT FROM users WHERE name = %(name)s)",
                {"name": name},
            ).rowcount
    print(f"table users is ready, {added} users added")  # noqa: T201


if __name__ == "__main__":
    main()
