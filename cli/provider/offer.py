"""Asking DigitalOcean, or the local cloud in its place, what a new environment can have."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import httpx

from cli.console import fail
from cli.provider.account import DIGITALOCEAN


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What the account may order."""

    sizes: dict[str, dict[str, Any]]
    """By slug: price_monthly (dollars), regions, memory (MB), vcpus."""
    regions: tuple[str, ...]

    def check(self, region: str, *sizes: str) -> None:
        """End this program with one clear error for what cannot be had."""
        if region not in self.regions:
            fail(f"region is {region}: must be one of {', '.join(self.regions)}")
        for size in sizes:
            there = sorted(slug for slug, each in self.sizes.items() if region in each["regions"])
            if size not in there:
                fail(f"size {size}: not to be had in {region}; there is: {', '.join(there)}")

    @property
    def monthly(self) -> dict[str, float]:
        """Dollars a month, by size."""
        return {slug: float(each["price_monthly"]) for slug, each in self.sizes.items()}


def offer() -> Offer:
    """What there is for the token of the environment variable DIGITALOCEAN_TOKEN.

    Ends this program with one clear error without a token, with a wrong one, or without an answer.
    """
    token = os.environ.get("DIGITALOCEAN_TOKEN")
    if not token:
        fail("no DigitalOcean token: set DIGITALOCEAN_TOKEN (DigitalOcean, API, Tokens)")
    endpoint = os.environ.get("DIGITALOCEAN_API_URL") or DIGITALOCEAN
    with httpx.Client(
        base_url=endpoint.rstrip("/"), headers={"Authorization": f"Bearer {token}"}, timeout=20
    ) as client:
        _get(client, "/v2/account")
        regions = _get(client, "/v2/regions")["regions"]
        sizes = _get(client, "/v2/sizes")["sizes"]
    return Offer(
        sizes={each["slug"]: each for each in sizes if each["available"]},
        regions=tuple(sorted(each["slug"] for each in regions if each["available"])),
    )


def _get(client: httpx.Client, path: str) -> dict[str, Any]:
    try:
        answer = client.get(path, params={"per_page": 200})
    except httpx.HTTPError as error:
        fail(f"{client.base_url} does not answer: {error}")
    if answer.status_code == 401:
        fail(f"{client.base_url} does not take the token of DIGITALOCEAN_TOKEN (status 401)")
    if answer.status_code != 200:
        fail(f"{client.base_url}{path} answers {answer.status_code}: {answer.text[:200]}")
    found: dict[str, Any] = answer.json()
    return found
