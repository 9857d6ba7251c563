"""Stand-ins for official Pulumi plugins, for machines where the official ones cannot be had.

Each covers exactly the resources this project uses and answers the engine as the official
plugin of the same version does; every other resource is refused by name. `start.py` is what
the engine runs, `install.py` puts a plugin where the engine looks for it.
"""
