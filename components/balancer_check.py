"""How often a load balancer asks a web server for its health, and when it has judged one."""

# DigitalOcean's defaults need 50 s to readmit a server; these take 6 s, its shortest (API
# reference, load_balancers: check_interval_seconds from 3, healthy_threshold from 2).
INTERVAL_SECONDS = 3
CHECKS_UNTIL_HEALTHY = 2
CHECKS_UNTIL_UNHEALTHY = 2

#: After so long it has turned away a server that does not answer its checks well.
SECONDS_TO_JUDGE = INTERVAL_SECONDS * CHECKS_UNTIL_UNHEALTHY + 1
