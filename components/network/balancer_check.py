"""How often a load balancer asks a web server for its health, and when it has judged one."""

from __future__ import annotations

from components.core.errors import SlipwayError
from components.settings.settings import Settings

# DigitalOcean's defaults need 50 s to readmit a server; these take 6 s, its shortest (API
# reference, load_balancers: check_interval_seconds from 3, healthy_threshold from 2).
INTERVAL_SECONDS = 3
CHECKS_UNTIL_HEALTHY = 2
CHECKS_UNTIL_UNHEALTHY = 2

#: After so long it has turned away a server that does not answer its checks well.
SECONDS_TO_JUDGE = INTERVAL_SECONDS * CHECKS_UNTIL_UNHEALTHY + 1


def check(settings: Settings, *, project: str) -> None:
    """Raise `SlipwayError` for a health that the load balancer would take for none.

    It counts 200 to 399 as well (DigitalOcean's documentation, "Health Check"), and asks for that
    of the first site.
    """
    if settings.balanced and not 200 <= settings.health_status <= 399:
        raise SlipwayError(
            f"{project}:healthStatus is {settings.health_status}: must be 200 to 399 behind a load"
            " balancer, which turns away a server that answers anything else"
        )
