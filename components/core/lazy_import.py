"""Imports only those of the provider package's hundreds of modules that the program uses.

Importing all of them takes a quarter of a second in every update (docs/performance.md).
"""

from __future__ import annotations

import importlib
import re
import sys
from importlib.util import find_spec, module_from_spec
from typing import Any


def import_lazily(package: str) -> None:
    """Make `import package` quick: a class is imported when it is first used.

    A resource is in the module of its name, and the types of its arguments are in `_inputs`, as in
    all packages that Pulumi generates. If the package is not installed, the import itself says so.
    """
    spec = find_spec(package)
    if spec is None or package in sys.modules:
        return
    module = module_from_spec(spec)

    def find(name: str) -> Any:
        of_its_own = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
        for submodule in (of_its_own, "_inputs"):
            try:
                found = importlib.import_module(f"{package}.{submodule}")
            except ModuleNotFoundError:
                continue
            if hasattr(found, name):
                return getattr(found, name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    module.__getattr__ = find  # type: ignore[method-assign]
    sys.modules[package] = module
