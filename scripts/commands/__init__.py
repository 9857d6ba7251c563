"""What the scripts do in Python; each module is run as `python3 -m scripts.commands.<name>`."""
