"""What can be ordered: sizes, regions and base images, under DigitalOcean's own names.

Every region is this machine. Sizes and prices are those of DigitalOcean's list of basic droplets
(monthly price; by the hour a 672nd of it), so that what a plan costs can be seen here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from local_cloud.api.errors import unprocessable
from local_cloud.api.pagination import RequestedPage

router = APIRouter()

HOURS_BILLED_A_MONTH = 672

REGIONS = {
    "ams3": "Amsterdam 3",
    "blr1": "Bangalore 1",
    "fra1": "Frankfurt 1",
    "lon1": "London 1",
    "nyc1": "New York 1",
    "nyc2": "New York 2",
    "nyc3": "New York 3",
    "sfo2": "San Francisco 2",
    "sfo3": "San Francisco 3",
    "sgp1": "Singapore 1",
    "syd1": "Sydney 1",
    "tor1": "Toronto 1",
}
DEFAULT_REGION = "fra1"
REGION_FEATURES: list[str] = []
"""None of those DigitalOcean names: no backups, IPv6, volumes, metadata service."""


@dataclass(frozen=True)
class Size:
    slug: str
    memory: int
    """MiB"""
    vcpus: int
    disk: int
    """GiB"""
    transfer: float
    """TiB a month"""
    price_monthly: float
    """US dollars"""


SIZES = {
    size.slug: size
    for size in (
        Size("s-1vcpu-512mb-10gb", 512, 1, 10, 0.5, 4.0),
        Size("s-1vcpu-1gb", 1024, 1, 25, 1.0, 6.0),
        Size("s-1vcpu-2gb", 2048, 1, 50, 2.0, 12.0),
        Size("s-2vcpu-2gb", 2048, 2, 60, 3.0, 18.0),
        Size("s-2vcpu-4gb", 4096, 2, 80, 4.0, 24.0),
        Size("s-4vcpu-8gb", 8192, 4, 160, 5.0, 48.0),
        Size("s-8vcpu-16gb", 16384, 8, 320, 6.0, 96.0),
    )
}


@dataclass(frozen=True)
class BaseImage:
    id: int
    slug: str
    name: str
    created_at: str
    distribution: str = "Debian"
    min_disk_size: int = 10
    """GiB"""
    size_gigabytes: float = 0.34


BASE_IMAGES = {
    image.slug: image
    for image in (
        BaseImage(12, "debian-12-x64", "12 x64", "2023-06-10T00:00:00Z"),
        BaseImage(13, "debian-13-x64", "13 x64", "2025-08-09T00:00:00Z"),
    )
}


def known_region(slug: str) -> str:
    if slug not in REGIONS:
        allowed = ", ".join(REGIONS)
        raise unprocessable("region", f"there is no region {slug!r}; the local cloud has {allowed}")
    return slug


def known_size(slug: str) -> Size:
    if slug not in SIZES:
        allowed = ", ".join(SIZES)
        raise unprocessable("size", f"there is no size {slug!r}; the local cloud has {allowed}")
    return SIZES[slug]


def region_json(slug: str) -> dict[str, Any]:
    return {
        "name": REGIONS[slug],
        "slug": slug,
        "features": REGION_FEATURES,
        "available": True,
        "sizes": list(SIZES),
    }


def disks_json(disk: int) -> list[dict[str, Any]]:
    return [{"type": "local", "size": {"amount": disk, "unit": "gib"}}]


def size_json(size: Size) -> dict[str, Any]:
    return {
        "slug": size.slug,
        "memory": size.memory,
        "vcpus": size.vcpus,
        "disk": size.disk,
        "transfer": size.transfer,
        "price_monthly": size.price_monthly,
        "price_hourly": round(size.price_monthly / HOURS_BILLED_A_MONTH, 5),
        "regions": list(REGIONS),
        "available": True,
        "description": "Basic",
        "disk_info": disks_json(size.disk),
    }


def base_image_json(image: BaseImage) -> dict[str, Any]:
    return {
        "id": image.id,
        "name": image.name,
        "type": "base",
        "distribution": image.distribution,
        "slug": image.slug,
        "public": True,
        "regions": list(REGIONS),
        "created_at": image.created_at,
        "min_disk_size": image.min_disk_size,
        "size_gigabytes": image.size_gigabytes,
        "description": f"{image.distribution} {image.name}",
        "tags": [],
        "status": "available",
    }


@router.get("/regions")
def list_regions(page: RequestedPage) -> JSONResponse:
    regions = [region_json(slug) for slug in page.of(list(REGIONS))]
    return page.answer("regions", regions, len(REGIONS))


@router.get("/sizes")
def list_sizes(page: RequestedPage) -> JSONResponse:
    sizes = [size_json(size) for size in page.of(list(SIZES.values()))]
    return page.answer("sizes", sizes, len(SIZES))
