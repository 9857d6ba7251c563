"""The provider's package, but of its hundreds of modules only those that a program asks for.

To import them all takes a quarter of a second, in every update (docs/performance.md).
"""

from __future__ import annotations

import importlib
import re
import sys
from importlib.util import find_spec, module_from_spec
from typing import Any


def import_lazily(package: str) -> None:
    """Make `import package` quick: a class is looked for when it is first used.

    A resource is in the module of its name, the shapes of its arguments are in `_inputs`: so are
    all packages made that Pulumi generates. One that is not installed is left to the import.
    """
    spec = find_spec(package)
    if spec is None or package in sys.modules:
        return
    module = module_from_spec(spec)

    def find(name: str) -> Any:
        of_its_own = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
        for place in (of_its_own, "_inputs"):
            try:
                found = importlib.import_module(f"{package}.{place}")
            except ModuleNotFoundError:
                continue
            if hasattr(found, name):
                return getattr(found, name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    module.__getattr__ = find  # type: ignore[method-assign]
    sys.modules[package] = module
