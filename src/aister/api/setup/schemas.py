"""What is sent to claim an installation, and what comes back."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Claim", "Claimed"]


class Claim(BaseModel):
    """The token that `aister serve` showed when it started."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"token": "the set-up token"}]})

    token: str = Field(min_length=1, max_length=200)


class Claimed(BaseModel):
    """A bearer token of the owner, shown this once."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"token": "shown once", "kind": "bearer", "seconds": 43200}]}
    )

    token: str
    kind: Literal["bearer"]
    seconds: int
