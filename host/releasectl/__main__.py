"""`releasectl`, as the servers have it: all modules of this package in one file.

components/core/bundle.py makes it, so that Python has one thing to read and to keep compiled.
"""

from __future__ import annotations

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
