"""The account: one per local cloud, always active."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from local_cloud.api.cloud import TheCloud

router = APIRouter()

ADDRESSES_NOT_FOR_DROPLETS = 3
"""The network's own address, the gateway and the broadcast address."""


@router.get("/account")
def get_account(cloud: TheCloud) -> JSONResponse:
    public = cloud.public_network
    account = {
        "droplet_limit": public.num_addresses - ADDRESSES_NOT_FOR_DROPLETS,
        "floating_ip_limit": 0,
        "email": "local-cloud@localhost",
        "name": "Local cloud",
        "uuid": str(uuid5(NAMESPACE_URL, cloud.state_folder.as_uri())),
        "email_verified": True,
        "status": "active",
        "status_message": "",
    }
    return JSONResponse({"account": account})
