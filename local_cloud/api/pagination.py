"""Pages of a list, as DigitalOcean gives them: `page`, `per_page`, `links.pages`, `meta.total`."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Request
from fastapi.responses import JSONResponse
from starlette.datastructures import URL

Item = TypeVar("Item")

DEFAULT_PER_PAGE = 20
MOST_PER_PAGE = 200
HIGHEST_PAGE = 2**31 - 1
"""Far above any list, far below what SQLite can count."""


@dataclass(frozen=True)
class Page:
    """The part of a list that a request asks for; pages are numbered from 1."""

    number: int
    size: int
    url: URL

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size

    def of(self, items: Sequence[Item]) -> Sequence[Item]:
        return items[self.offset : self.offset + self.size]

    def select(
        self, db: sqlite3.Connection, query: str, values: Sequence[object] = ()
    ) -> tuple[list[sqlite3.Row], int]:
        """The rows of this page of an ordered query, and how many rows the query has in all."""
        (total,) = db.execute(f"SELECT count(*) FROM ({query})", values).fetchone()  # noqa: S608
        rows = db.execute(f"{query} LIMIT ? OFFSET ?", [*values, self.size, self.offset])
        return rows.fetchall(), total

    def links(self, total: int) -> dict[str, Any]:
        """`first` and `prev` from the second page on; `next` and `last` while more follow."""
        last = max(1, -(-total // self.size))
        pages: dict[str, int] = {}
        if self.number > 1:
            pages |= {"first": 1, "prev": min(self.number - 1, last)}
        if self.number < last:
            pages |= {"next": self.number + 1, "last": last}
        if not pages:
            return {}
        return {"pages": {name: self._link_to(number) for name, number in pages.items()}}

    def _link_to(self, number: int) -> str:
        return str(self.url.include_query_params(page=number, per_page=self.size))

    def answer(self, key: str, items: Any, total: int) -> JSONResponse:
        return JSONResponse({key: items, "links": self.links(total), "meta": {"total": total}})


async def requested_page(
    request: Request,
    page: Annotated[int, Query(ge=1, le=HIGHEST_PAGE)] = 1,
    per_page: Annotated[int, Query(ge=1, le=MOST_PER_PAGE)] = DEFAULT_PER_PAGE,
) -> Page:
    return Page(page, per_page, request.url)


RequestedPage = Annotated[Page, Depends(requested_page)]
