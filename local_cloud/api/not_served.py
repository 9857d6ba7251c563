"""DigitalOcean's other products: each is refused by name, so that nobody waits for one."""

from __future__ import annotations

from fastapi import APIRouter, Response

from local_cloud.api.errors import not_implemented

PRODUCTS = {
    "1-clicks": "1-click applications",
    "apps": "App Platform",
    "cdn": "CDN endpoints",
    "databases": "managed databases",
    "floating_ips": "floating IPs",
    "functions": "functions",
    "kubernetes": "Kubernetes clusters",
    "monitoring": "monitoring",
    "projects": "projects",
    "registry": "container registries",
    "reserved_ipv6": "reserved IPv6 addresses",
    "spaces": "Spaces",
    "uptime": "uptime checks",
    "volumes": "volumes",
    "vpc_nat_gateways": "VPC NAT gateways",
    "vpc_peerings": "VPC peerings",
}

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


router = APIRouter()


def _refuse(path: str, product: str) -> None:
    async def refuse() -> Response:
        raise not_implemented(product)

    for pattern in (f"/{path}", f"/{path}/{{rest:path}}"):
        router.add_api_route(pattern, refuse, methods=METHODS)


for _path, _product in PRODUCTS.items():
    _refuse(_path, _product)
