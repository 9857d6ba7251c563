"""What a load balancer's haproxy is told: pure text, the same for the same balancer.

Names, options and their meaning are those of HAProxy 2.6's configuration manual.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from local_cloud.machine import Backend, Certificate, HealthCheck, Listener, LoadBalancerSpec

CHECKED = "droplets"
"""The backend that only checks: the ones with visitors follow it, so each droplet is asked once
however many ports there are, and what is known of it outlives a change of ports."""

MOST_CONNECTIONS = 4000
CONNECT_SECONDS = 3
"""How long a droplet may take to accept a connection before another one is tried."""
DRAIN_MINUTES = 10
"""How long requests from before a change may take to end."""
TUNNEL_HOURS = 1
"""How long a WebSocket may be silent."""
TRANSITION_SECONDS = 1
"""Between the checks of a droplet that begins to answer, or to fail."""


STATES = "states"
CERTIFICATES = "certificates"
"""The names of files in a balancer's folder."""

FORWARD_SECRECY = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""The ciphers of TLS 1.2 that are strong; those of 1.3 all are."""


def render(balancer: LoadBalancerSpec, common: Iterable[str], folder: Path) -> str:
    """The whole configuration file.

    Args:
        balancer: what is wanted.
        common: what every haproxy of ours begins with.
        folder: where the balancer's files are.
    """
    parts = [
        [*common, *_settings(balancer, folder / STATES)],
        _checks(balancer),
        *(_listener(balancer, listener, folder) for listener in balancer.listeners),
    ]
    return "\n".join(line for part in parts for line in [*part, ""])


def certificate_files(balancer: LoadBalancerSpec) -> dict[str, str]:
    """The content of each certificate's file, by its name in the folder of certificates.

    A renewed certificate is another file, so that the configuration shows the change.
    """
    shown = (listener.certificate for listener in balancer.listeners)
    return {_file_name(each): each.pem for each in shown if each is not None}


def _file_name(certificate: Certificate) -> str:
    return f"{certificate.id}.pem"


def render_states(balancer: LoadBalancerSpec, healthy: Collection[int] | None) -> str:
    """What is known of the droplets already (haproxy's `server-state-file`, version 1).

    What is not in it counts as healthy until its first check, a moment later: that is how a new
    balancer begins (None). When one changes, a droplet that was ill stays so, and each new one has
    to pass its check before it gets requests.
    """
    check = balancer.check
    best = check.successes_until_up + check.failures_until_down - 1
    lines = ["1", f"# {' '.join(_STATE)}"]
    if healthy is None:
        return "\n".join([*lines, ""])
    for number, backend in enumerate(balancer.backends, 1):
        is_healthy = backend.machine_id in healthy
        known = _STATE | {
            "srv_id": number,
            "srv_name": backend.machine_id,
            "srv_addr": backend.address,
            "srv_op_state": 2 if is_healthy else 0,
            "srv_check_health": best if is_healthy else 0,
            "srv_port": check.port,
        }
        lines.append(" ".join(str(value) for value in known.values()))
    return "\n".join([*lines, ""])


_STATE: dict[str, object] = {
    "be_id": 2, "be_name": CHECKED, "srv_id": 0, "srv_name": 0, "srv_addr": 0, "srv_op_state": 0,
    "srv_admin_state": 0, "srv_uweight": 1, "srv_iweight": 1, "srv_time_since_last_change": 0,
    "srv_check_status": 1, "srv_check_result": 0, "srv_check_health": 0, "srv_check_state": 6,
    "srv_agent_state": 0, "bk_f_forced_id": 0, "srv_f_forced_id": 0, "srv_fqdn": "-",
    "srv_port": 0, "srvrecord": "-", "srv_use_ssl": 0, "srv_check_port": 0, "srv_check_addr": "-",
    "srv_agent_addr": "-", "srv_agent_port": 0,
}  # fmt: skip
"""The columns of a state file, in order, with what is the same for every droplet."""


def _settings(balancer: LoadBalancerSpec, states: Path) -> Iterator[str]:
    yield f"\tmaxconn {MOST_CONNECTIONS}"
    yield f"\tserver-state-file {states}"
    yield f"\thard-stop-after {DRAIN_MINUTES}m"
    yield ""
    yield "defaults"
    yield "\tload-server-state-from-file global"
    yield "\toption redispatch 1"
    yield "\tretries 3"
    yield f"\ttimeout connect {CONNECT_SECONDS}s"
    for what in ("client", "server", "queue", "http-request", "http-keep-alive"):
        yield f"\ttimeout {what} {balancer.idle_seconds}s"
    yield f"\ttimeout tunnel {TUNNEL_HOURS}h"
    yield f"\ttimeout check {balancer.check.timeout_seconds}s"


def _checks(balancer: LoadBalancerSpec) -> Iterator[str]:
    check = balancer.check
    yield f"backend {CHECKED}"
    if check.protocol != "tcp":
        yield "\toption httpchk"
        yield f"\thttp-check send meth GET uri {check.path} ver HTTP/1.1 hdr Host {_host(balancer)}"
    yield f"\tdefault-server {_check_options(balancer, check)}"
    for backend in balancer.backends:
        yield f"\tserver {backend.machine_id} {backend.address}:{check.port} check"


def _visited_ports(balancer: LoadBalancerSpec) -> set[int]:
    """The ports of droplets to which it sends requests."""
    return {listener.target_port for listener in balancer.listeners}


def _host(balancer: LoadBalancerSpec) -> str:
    """The name a check asks for: HTTP/1.1 wants one."""
    return str(balancer.public.address)


def _check_options(balancer: LoadBalancerSpec, check: HealthCheck) -> str:
    words = [
        f"inter {check.interval_seconds}s",
        f"fastinter {TRANSITION_SECONDS}s",
        f"rise {check.successes_until_up}",
        f"fall {check.failures_until_down}",
    ]
    if check.protocol == "https":
        words.append("check-ssl verify none")
    # A port of its own for the checks is one that knows no PROXY protocol: so does the one of
    # Kubernetes' kube-proxy, which DigitalOcean's balancers check with that protocol on.
    if balancer.speaks_proxy_protocol and check.port in _visited_ports(balancer):
        words.append("check-send-proxy")
    return " ".join(words)


def _listener(balancer: LoadBalancerSpec, listener: Listener, folder: Path) -> Iterator[str]:
    scheme = "https" if listener.certificate else "http"
    name = f"{scheme if listener.protocol == 'http' else listener.protocol}_{listener.port}"
    reads_http = listener.protocol == "http"
    mode = "http" if reads_http else "tcp"
    yield f"frontend {name}"
    yield f"\tmode {mode}"
    yield f"\tbind {balancer.public.address}:{listener.port}{_tls(balancer, listener, folder)}"
    if balancer.denied:
        yield f"\ttcp-request connection reject if {{ src {_words(balancer.denied)} }}"
    if balancer.allowed:
        yield f"\ttcp-request connection reject unless {{ src {_words(balancer.allowed)} }}"
    if reads_http:
        # After a reload, a waiting visitor is told with the next answer that the connection ends.
        yield "\toption idle-close-on-response"
        # Set, not added: what a visitor says of these is not to be believed.
        yield "\thttp-request set-header X-Forwarded-For %[src]"
        yield f"\thttp-request set-header X-Forwarded-Proto {scheme}"
        yield "\thttp-request set-header X-Forwarded-Port %[dst_port]"
    if listener.redirects_to_https:
        # 307, so that a form that was sent is sent again.
        where = "https://%[req.hdr(host),host_only]%[pathq]"
        yield f"\thttp-request redirect location {where} code 307"
    yield f"\tdefault_backend {name}"
    yield ""
    yield f"backend {name}"
    yield f"\tmode {mode}"
    yield "\tbalance roundrobin"
    if reads_http:
        yield from _http_options(balancer)
    for backend in balancer.backends:
        yield f"\tserver {_server(balancer, listener, backend)}"


def _tls(balancer: LoadBalancerSpec, listener: Listener, folder: Path) -> str:
    """What follows the address of a port where visitors speak TLS."""
    if listener.certificate is None:
        return ""
    protocols = "h2,http/1.1" if listener.offers_http2 else "http/1.1"
    file = folder / CERTIFICATES / _file_name(listener.certificate)
    ciphers = f" ciphers {FORWARD_SECRECY}" if balancer.only_strong_ciphers else ""
    return f" ssl crt {file} alpn {protocols} ssl-min-ver TLSv1.2{ciphers}"


def _http_options(balancer: LoadBalancerSpec) -> Iterator[str]:
    if balancer.keeps_backend_connections:
        yield "\toption http-keep-alive"
        yield "\thttp-reuse safe"
    else:
        yield "\toption http-server-close"
    # A request that may have been read is asked again only if it changes nothing (METH_GET is
    # haproxy's name for GET and HEAD); one that no droplet accepted, always.
    yield "\tretry-on conn-failure empty-response"
    yield "\thttp-request disable-l7-retry unless METH_GET"
    if balancer.sticky:
        cookie, seconds = balancer.sticky.name, balancer.sticky.seconds
        yield f"\tcookie {cookie} insert indirect nocache httponly maxlife {seconds}s"


def _server(balancer: LoadBalancerSpec, listener: Listener, backend: Backend) -> str:
    number = backend.machine_id
    words = [f"{number} {backend.address}:{listener.target_port} track {CHECKED}/{number}"]
    if listener.protocol == "http" and listener.target_protocol != "http":
        words.append("ssl verify none")
        if listener.target_protocol == "http2":
            words.append("alpn h2")
    if balancer.speaks_proxy_protocol:
        words.append("send-proxy")
    if balancer.sticky and listener.protocol == "http":
        words.append(f"cookie {number}")
    return " ".join(words)


def _words(values: Collection[object]) -> str:
    return " ".join(map(str, values))
