"""Ports of servers that several rooms use."""

SSH = 22
HTTP = 80
HTTPS = 443
#: Where nginx gets what a load balancer passes on with the PROXY protocol, without and with TLS.
PROXIED_HTTP = 10080
PROXIED_HTTPS = 10443
POSTGRESQL = 5432
#: Where Apache with mod_wsgi listens for nginx: on an address of 127.0.0.0/8 for each instance.
APACHE = 7080
