"""The properties of a load balancer, as the official plugin names, defaults and judges them."""

from __future__ import annotations

from local_cloud.plugins.digitalocean.schema import Kind, Property
from local_cloud.plugins.digitalocean.validators import (
    a_tag,
    at_least,
    between,
    length_between,
    not_empty,
    one_of,
    one_of_any_case,
)

FORWARDING_RULE = (
    Property(name="certificateId", computed=True, validator=not_empty),
    Property(name="certificateName", computed=True, validator=not_empty),
    Property(name="entryPort", kind=Kind.WHOLE, required=True, validator=between(1, 65535)),
    Property(
        name="entryProtocol",
        required=True,
        validator=one_of("http", "https", "http2", "http3", "tcp", "udp"),
    ),
    Property(name="targetPort", kind=Kind.WHOLE, required=True, validator=between(1, 65535)),
    Property(
        name="targetProtocol",
        required=True,
        validator=one_of("http", "https", "http2", "tcp", "udp"),
    ),
    Property(name="tlsPassthrough", kind=Kind.FLAG, default=False),
)
HEALTH_CHECK = (
    Property(name="checkIntervalSeconds", kind=Kind.WHOLE, default=10, validator=between(3, 300)),
    Property(name="healthyThreshold", kind=Kind.WHOLE, default=5, validator=between(2, 10)),
    Property(name="path", validator=not_empty),
    Property(name="port", kind=Kind.WHOLE, required=True, validator=between(1, 65535)),
    Property(name="protocol", required=True, validator=one_of("http", "https", "tcp")),
    Property(name="responseTimeoutSeconds", kind=Kind.WHOLE, default=5, validator=between(3, 300)),
    Property(name="unhealthyThreshold", kind=Kind.WHOLE, default=3, validator=between(2, 10)),
)
STICKY_SESSIONS = (
    Property(name="cookieName", validator=length_between(2, 40)),
    Property(name="cookieTtlSeconds", kind=Kind.WHOLE, validator=at_least(1)),
    Property(name="type", default="none", validator=one_of("cookies", "none")),
)

PROPERTIES = (
    Property(
        name="algorithm",
        default="round_robin",
        validator=one_of("round_robin", "least_connections"),
        deprecated=(
            "This field has been deprecated. You can no longer specify an algorithm for load "
            "load_balancers."
        ),
    ),
    Property(name="disableLetsEncryptDnsRecords", kind=Kind.FLAG, default=False),
    Property(
        name="domains",
        kind=Kind.SET,
        computed=True,
        fields=(
            Property(name="certificateId", given=False, computed=True),
            Property(name="certificateName", computed=True, validator=not_empty),
            Property(name="isManaged", kind=Kind.FLAG, default=False),
            Property(name="name", required=True, validator=not_empty),
        ),
    ),
    Property(name="dropletIds", kind=Kind.SET, element=Kind.WHOLE, computed=True),
    Property(
        name="dropletTag", validator=a_tag, equal=lambda old, new: bool(old.lower() == new.lower())
    ),
    Property(name="enableBackendKeepalive", kind=Kind.FLAG, default=False),
    Property(name="enableProxyProtocol", kind=Kind.FLAG, default=False),
    Property(
        name="firewall",
        kind=Kind.OBJECT,
        computed=True,
        filled=True,
        fields=(
            Property(name="allows", upstream="allow", kind=Kind.LIST),
            Property(name="denies", upstream="deny", kind=Kind.LIST),
        ),
    ),
    Property(
        name="forwardingRules", kind=Kind.SET, upstream="forwarding_rule", fields=FORWARDING_RULE
    ),
    Property(
        name="glbSettings",
        kind=Kind.OBJECT,
        computed=True,
        fields=(
            Property(name="targetPort", kind=Kind.WHOLE, required=True),
            Property(name="targetProtocol", required=True, validator=one_of("http", "https")),
        ),
    ),
    Property(name="healthcheck", kind=Kind.OBJECT, computed=True, fields=HEALTH_CHECK),
    Property(name="httpIdleTimeoutSeconds", kind=Kind.WHOLE, computed=True),
    Property(name="ip", given=False, computed=True),
    Property(name="ipv6", given=False, computed=True),
    Property(name="loadBalancerUrn", upstream="urn", given=False, computed=True),
    Property(name="name", required=True, validator=not_empty),
    Property(name="network", replaces=True, validator=one_of_any_case("EXTERNAL", "INTERNAL")),
    Property(name="networkStack", replaces=True, validator=one_of_any_case("IPV4", "DUALSTACK")),
    Property(name="projectId", computed=True),
    Property(name="redirectHttpToHttps", kind=Kind.FLAG, default=False),
    Property(name="region", replaces=True, stored=str.lower),
    Property(name="size", validator=one_of("lb-small", "lb-medium", "lb-large")),
    Property(name="sizeUnit", kind=Kind.WHOLE, computed=True, validator=between(1, 200)),
    Property(name="status", given=False, computed=True),
    Property(name="stickySessions", kind=Kind.OBJECT, computed=True, fields=STICKY_SESSIONS),
    Property(name="targetLoadBalancerIds", kind=Kind.SET, computed=True),
    Property(name="tlsCipherPolicy", validator=one_of_any_case("DEFAULT", "STRONG")),
    Property(
        name="type",
        computed=True,
        replaces=True,
        validator=one_of_any_case("REGIONAL", "GLOBAL", "REGIONAL_NETWORK"),
    ),
    Property(name="vpcUuid", computed=True, replaces=True, validator=not_empty),
)
