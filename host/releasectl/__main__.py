"""Entry point of `releasectl`. Servers get all modules of this package as one file.

components/core/bundle.py builds that file: Python then reads one file and caches one compiled file.
"""

from __future__ import annotations

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
