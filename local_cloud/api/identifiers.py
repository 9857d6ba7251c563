"""The forms identifiers come in."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Path
from pydantic import Field

HIGHEST_NUMBER = 2**63 - 1
"""What SQLite can hold."""

Number = Annotated[int, Field(ge=1, le=HIGHEST_NUMBER, strict=True)]
"""The id of a droplet, key, image or action in a request body."""

NumberInPath = Annotated[int, Path(ge=1, le=HIGHEST_NUMBER)]
UuidInPath = Annotated[UUID, Path()]
"""The id of a VPC or firewall."""
