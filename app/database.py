"""The way to PostgreSQL: a few connections for each worker, opened when first needed."""

import os
from functools import cache
from typing import Any

from psycopg_pool import ConnectionPool

#: A visitor who has waited this long for a connection would rather see an error.
SECONDS_FOR_A_CONNECTION = 3


@cache
def pool() -> ConnectionPool[Any]:
    """The worker's pool, to the database that `DATABASE_URL` names (KeyError without it).

    Made when it is first needed, so after gunicorn has forked: workers must not share connections.
    Each connection is tried before it is used, so that a restarted database goes unnoticed.
    """
    return ConnectionPool(
        os.environ["DATABASE_URL"],
        min_size=1,
        max_size=4,
        timeout=SECONDS_FOR_A_CONNECTION,
        check=ConnectionPool.check_connection,
        open=True,
    )


def user_names() -> list[str]:
    """The names of all users, in the order in which they came."""
    with pool().connection() as connection:
        return [name for (name,) in connection.execute("SELECT name FROM users ORDER BY id")]
