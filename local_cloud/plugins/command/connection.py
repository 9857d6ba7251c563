"""Where and how to connect: the input `connection`, as the code uses it."""

from __future__ import annotations

from dataclasses import dataclass, field

from local_cloud.plugins.shared_values import Properties, revealed


@dataclass(frozen=True)
class Connection:
    """One SSH endpoint, and the proxy on the way to it if there is one.

    Two connections are equal, and may share an open link, only if everything that decides who
    is at the other end and who we are is equal, host key included. How patient to be is not
    part of that.
    """

    host: str
    port: int = 22
    user: str = "root"
    password: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)
    private_key_password: str | None = field(default=None, repr=False)
    agent_socket_path: str | None = None
    host_key: str | None = None
    proxy: Connection | None = None
    dial_error_limit: int = field(default=10, compare=False)
    """How many failed attempts are forgiven; -1: any number."""
    per_dial_timeout: float = field(default=15, compare=False)
    """Seconds for each attempt; 0: no limit."""

    @property
    def endpoint(self) -> str:
        """`host:port`, an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def of(cls, properties: Properties) -> Connection:
        """From the checked (so complete) input of a resource."""
        given = revealed(properties)
        return cls(
            host=given["host"],
            port=int(given.get("port", 22)),
            user=given.get("user", "root"),
            password=given.get("password"),
            private_key=given.get("privateKey"),
            private_key_password=given.get("privateKeyPassword"),
            agent_socket_path=given.get("agentSocketPath"),
            host_key=given.get("hostKey"),
            proxy=cls.of(given["proxy"]) if given.get("proxy") else None,
            dial_error_limit=int(given.get("dialErrorLimit", 10)),
            per_dial_timeout=given.get("perDialTimeout", 15),
        )
