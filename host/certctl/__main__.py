"""Entry point of `certctl`. Servers get all modules of this package as one file."""

from __future__ import annotations

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
