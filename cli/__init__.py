"""The one program behind everything in scripts/: `python3 -m cli COMMAND [words…]`."""
