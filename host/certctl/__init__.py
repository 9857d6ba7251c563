"""certctl: the certificates of one server's sites.

    /etc/slipway/certificates.json      what is wanted (settings.py)
                /acme-account.pem       the environment's account key, the same on every server
                /<app>/tls/key.pem      the site's key, the same on every server
                          /kept.pem     the chain that the environment's state had for a new server
                          /chain.pem    what nginx serves: a certificate of the CA's, or before the
                                        first one a placeholder that is signed by the key itself
                          /when-served/ what nginx does once the certificate is a real one
                          /served       -> when-served, from then on
    /var/lib/slipway/certificates/      what happened last, and when it is tried again

Keys come with the environment and never move between servers. Chains are public: nginx shows each
server's to the others, so one order is enough for all, and a new server needs none. nginx answers
the CA's question for any token on every server (RFC 8555, 8.3), so any of them can order.

Every command can be killed at any point and run again. Python 3.10 or later, with `acme`
(certbot's library) from the tools' environment.

Exit status: 0 done, or waiting for names to lead here; 1 failed; 2 wrong usage.
"""
