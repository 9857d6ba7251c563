"""What the engine runs: `python start.py <plugin> <engine address>`.

A plugin is started several times in every `pulumi up`, so this file keeps the start short: it
gives the plugin Pulumi's wire protocol without importing the whole SDK (0.15 s), of which a
plugin needs nothing else.
"""

import importlib
import importlib.util
import sys
import types
from pathlib import Path

PLUGINS = ("command", "digitalocean")


def without_the_sdk() -> None:
    """Make the modules of `pulumi.runtime.proto` importable without those around them.

    Only for a process that is a plugin and nothing else: `import pulumi` gives an empty
    package afterwards.
    """
    found = importlib.util.find_spec("pulumi")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("The Pulumi SDK is not installed in the environment of this plugin.")
    root = Path(next(iter(found.submodule_search_locations)))
    for name in ("pulumi", "pulumi.runtime", "pulumi.runtime.proto"):
        package = types.ModuleType(name)
        package.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package


def main() -> None:
    """Start the plugin named by the first argument."""
    if len(sys.argv) < 2 or sys.argv[1] not in PLUGINS:
        raise SystemExit(f"usage: start.py {'|'.join(PLUGINS)} <engine address>")
    project = Path(__file__).resolve().parents[2]
    sys.path.insert(0, str(project))
    without_the_sdk()
    plugin = importlib.import_module(f"local_cloud.plugins.{sys.argv[1]}.__main__")
    plugin.main(sys.argv[2:])


if __name__ == "__main__":
    main()
