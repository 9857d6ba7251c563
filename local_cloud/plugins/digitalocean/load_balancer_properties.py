"""The properties of a load balancer, as the official plugin names, defaults and judges them."""

from __future__ import annotations

from local_cloud.plugins.digitalocean.judges import (
    a_tag,
    at_least,
    between,
    length_between,
    not_empty,
    one_of,
    one_of_any_case,
)
from local_cloud.plugins.digitalocean.schema import Kind, Property

FORWARDING_RULE = (
    Property(name="certificateId", computed=True, judge=not_empty),
    Property(name="certificateName", computed=True, judge=not_empty),
    Property(name="entryPort", kind=Kind.WHOLE, required=True, judge=between(1, 65535)),
    Property(
        name="entryProtocol",
        required=True,
        judge=one_of("http", "https", "http2", "http3", "tcp", "udp"),
    ),
    Property(name="targetPort", kind=Kind.WHOLE, required=True, judge=between(1, 65535)),
    Property(
        name="targetProtocol",
        required=True,
        judge=one_of("http", "https", "http2", "tcp", "udp"),
    ),
    Property(name="tlsPassthrough", kind=Kind.FLAG, default=False),
)
HEALTH_CHECK = (
    Property(name="checkIntervalSeconds", kind=Kind.WHOLE, default=10, judge=between(3, 300)),
    Property(name="healthyThreshold", kind=Kind.WHOLE, default=5, judge=between(2, 10)),
    Property(name="path", judge=not_empty),
    Property(name="port", kind=Kind.WHOLE, required=True, judge=between(1, 65535)),
    Property(name="protocol", required=True, judge=one_of("http", "https", "tcp")),
    Property(name="responseTimeoutSeconds", kind=Kind.WHOLE, default=5, judge=between(3, 300)),
    Property(name="unhealthyThreshold", kind=Kind.WHOLE, default=3, judge=between(2, 10)),
)
STICKY_SESSIONS = (
    Property(name="cookieName", judge=length_between(2, 40)),
    Property(name="cookieTtlSeconds", kind=Kind.WHOLE, judge=at_least(1)),
    Property(name="type", default="none", judge=one_of("cookies", "none")),
)

PROPERTIES = (
    Property(
        name="algorithm",
        default="round_robin",
        judge=one_of("round_robin", "least_connections"),
        deprecated=(
            "This field has been deprecated. You can no longer specify an algorithm for load "
            "balancers."
        ),
    ),
    Property(name="disableLetsEncryptDnsRecords", kind=Kind.FLAG, default=False),
    Property(
        name="domains",
        kind=Kind.SET,
        computed=True,
        fields=(
            Property(name="certificateId", given=False, computed=True),
            Property(name="certificateName", computed=True, judge=not_empty),
            Property(name="isManaged", kind=Kind.FLAG, default=False),
            Property(name="name", required=True, judge=not_empty),
        ),
    ),
    Property(name="dropletIds", kind=Kind.SET, element=Kind.WHOLE, computed=True),
    Property(
        name="dropletTag", judge=a_tag, equal=lambda old, new: bool(old.lower() == new.lower())
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
            Property(name="targetProtocol", required=True, judge=one_of("http", "https")),
        ),
    ),
    Property(name="healthcheck", kind=Kind.OBJECT, computed=True, fields=HEALTH_CHECK),
    Property(name="httpIdleTimeoutSeconds", kind=Kind.WHOLE, computed=True),
    Property(name="ip", given=False, computed=True),
    Property(name="ipv6", given=False, computed=True),
    Property(name="loadBalancerUrn", upstream="urn", given=False, computed=True),
    Property(name="name", required=True, judge=not_empty),
    Property(name="network", replaces=True, judge=one_of_any_case("EXTERNAL", "INTERNAL")),
    Property(name="networkStack", replaces=True, judge=one_of_any_case("IPV4", "DUALSTACK")),
    Property(name="projectId", computed=True),
    Property(name="redirectHttpToHttps", kind=Kind.FLAG, default=False),
    Property(name="region", replaces=True, stored=str.lower),
    Property(name="size", judge=one_of("lb-small", "lb-medium", "lb-large")),
    Property(name="sizeUnit", kind=Kind.WHOLE, computed=True, judge=between(1, 200)),
    Property(name="status", given=False, computed=True),
    Property(name="stickySessions", kind=Kind.OBJECT, computed=True, fields=STICKY_SESSIONS),
    Property(name="targetLoadBalancerIds", kind=Kind.SET, computed=True),
    Property(name="tlsCipherPolicy", judge=one_of_any_case("DEFAULT", "STRONG")),
    Property(
        name="type",
        computed=True,
        replaces=True,
        judge=one_of_any_case("REGIONAL", "GLOBAL", "REGIONAL_NETWORK"),
    ),
    Property(name="vpcUuid", computed=True, replaces=True, judge=not_empty),
)
