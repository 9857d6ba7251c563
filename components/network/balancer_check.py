"""How often a load balancer checks a web server, and when it takes one out."""

from __future__ import annotations

from components.core.errors import SlipwayError
from components.settings.settings import Settings

# DigitalOcean's defaults need 50 s to readmit a server; these take 6 s, its shortest (API
# reference, load_balancers: check_interval_seconds from 3, healthy_threshold from 2).
INTERVAL_SECONDS = 3
CHECKS_UNTIL_HEALTHY = 2
CHECKS_UNTIL_UNHEALTHY = 2

#: After this time it has taken out a server that fails its checks.
SECONDS_TO_JUDGE = INTERVAL_SECONDS * CHECKS_UNTIL_UNHEALTHY + 1


def check(settings: Settings, *, project: str) -> None:
    """Raise `SlipwayError` for a healthStatus that the load balancer takes for a failure.

    It accepts 200 to 399 (DigitalOcean's documentation, "Health Check"), and checks the first site.
    """
    if settings.balanced and not 200 <= settings.health_status <= 399:
        raise SlipwayError(
            f"{project}:healthStatus is {settings.health_status}: must be 200 to 399 behind a load"
            " balancer, which turns away a server that answers anything else"
        )
