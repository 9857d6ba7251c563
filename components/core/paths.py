"""Where the things of an application are on a server."""


def root_folder(app: str) -> str:
    """Where its releases are."""
    return f"/srv/{app}"


def configuration_folder(app: str) -> str:
    """Where its configuration is."""
    return f"/etc/slipway/{app}"
