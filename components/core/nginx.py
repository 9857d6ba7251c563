"""nginx on a server, as whoever puts a file for it needs it."""

from __future__ import annotations

from components.core.put_file import Unit

#: What a file of a site is for: the site is down when it does not run.
UNIT = Unit(name="nginx.service", verb="reload-or-restart", serves=True)
#: Shell that fails where it does not run: `... || what is to be done then`.
UNLESS_IT_RUNS = "! systemctl is-active --quiet nginx.service"
#: Shell for a file that has passed `nginx -t`, before the site's own is there, too.
RELOAD = f"{UNLESS_IT_RUNS} || systemctl reload nginx.service"
