"""Paths of an application on a server."""


def root_folder(app: str) -> str:
    """The folder of its releases."""
    return f"/srv/{app}"


def configuration_folder(app: str) -> str:
    """The folder of its configuration."""
    return f"/etc/slipway/{app}"
