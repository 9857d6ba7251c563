"""Ports of servers that several rooms use."""

SSH = 22
POSTGRESQL = 5432
#: Where Apache with mod_wsgi listens for nginx: on an address of 127.0.0.0/8 for each instance.
APACHE = 7080
