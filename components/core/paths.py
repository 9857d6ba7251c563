"""Paths on a server."""

#: What Slipway configures there, except for what has a place of its own in the system.
SLIPWAY_FOLDER = "/etc/slipway"

#: The virtual environment of the tools: uv, and what certctl is made of.
TOOLS = "/opt/slipway"


def root_folder(app: str) -> str:
    """The folder of its releases."""
    return f"/srv/{app}"


def configuration_folder(app: str) -> str:
    """The folder of its configuration."""
    return f"{SLIPWAY_FOLDER}/{app}"
