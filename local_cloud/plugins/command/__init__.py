"""A stand-in for the plugin pulumi-command 1.2.1: commands here, commands and copies over SSH.

What it does is what the official one does (its source at tag v1.2.1 was read for that), with
these differences, all on the safe side: connections are kept open and used again, an interrupt
ends remote commands, one slow handshake does not hang a run, and long lines do not either.
"""

VERSION = "1.2.1"
