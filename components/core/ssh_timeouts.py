"""How long SSH waits for a server, in seconds: for the program, the commands and the templates."""

BOOT = 300
"""For a server that boots for the first time."""
DIAL = 5
"""For one connection attempt of an update whose packets are dropped (pulumi-command: 15)."""
HOST_KEYS = 8
"""For the host keys and the first login of an existing server."""
STATUS = 4
"""For a server that is only looked at: if it does not answer within that, it is down."""
STATUS_ANSWER = 16
"""For all that it tells. Longer than host/survey.py waits for the programs that it asks (12)."""
UPLOAD = 10
"""For a connection that takes a release to a server."""
ALIVE_INTERVAL = 15
"""Between two signs of life that an idle upload asks for."""
ALIVE_COUNT = 4
"""How many of them may be missing."""
DRAIN_ALIVE_INTERVAL = 3
"""The same while a server drains, which may lose its network any moment."""
