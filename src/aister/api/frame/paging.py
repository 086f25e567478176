"""Lists in pages: a cursor says where the last page ended, so that rows that come meanwhile neither repeat nor hide
others."""

import base64
import binascii
import json
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel

from aister.core.errors import UsageError

__all__ = ["Cursor", "Limit", "Page", "after", "cursor"]

T = TypeVar("T", bound=BaseModel)
K = TypeVar("K", int, str)
Limit = Annotated[int, Query(ge=1, le=1_000, description="Rows a page.")]
Cursor = Annotated[
    str | None,
    Query(alias="cursor", max_length=500, description="`next` of the page before; left out for the first page."),
]


class Page(BaseModel, Generic[T]):
    """One page. `next` asks for the one after it, null when this is the last."""

    items: list[T]
    next: str | None


def cursor(of: str, last: int | str) -> str:
    """Where a page of the list `of` (its resource and filters) ended."""
    return base64.urlsafe_b64encode(json.dumps([of, last]).encode()).decode().rstrip("=")


def after(given: str | None, of: str, kind: type[K]) -> K | None:
    """The last row of the page before, None for the first page. Raises `UsageError` for a cursor of another list."""
    if given is None:
        return None
    try:
        found = json.loads(base64.b64decode(given + "=" * (-len(given) % 4), b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        found = None
    if isinstance(found, list) and len(found) == 2 and found[0] == of and type(found[1]) is kind:
        last: K = found[1]
        return last
    raise UsageError("The cursor is not of this list; begin with the first page, without a cursor.")
