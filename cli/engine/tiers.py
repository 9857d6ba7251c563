"""One tier of an environment alone (`scripts/up --only`)."""

from __future__ import annotations

_WEB = ("web", "web-*", "release", "release-*")
_DB = ("db", "db-*", "database", "database-*")


def options_of(only: str | None) -> list[str]:
    """Options of `pulumi up` that leave out the other tier; pure.

    What is there of it stays as it is, and what is not there is not made yet. The name of a
    resource says whose it is.

    Args:
        only: web or db; None for both.
    """
    if only == "db":
        return [*(f"--exclude=**::{name}" for name in _WEB), "--exclude-dependents"]
    return [f"--exclude=**::{name}" for name in _DB] if only == "web" else []
