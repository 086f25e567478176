"""Specs as they are listed, shown and judged."""

from typing import Any

from pydantic import BaseModel, ConfigDict

__all__ = ["FindingTold", "JudgementTold", "SpecListed", "SpecShown"]

_LISTED: dict[str, Any] = {
    "name": "rsi_reversion",
    "description": "Buys what fell too far.",
    "timeframe": "15m",
    "symbols": [],
    "sides": ["long", "short"],
    "hash": "4be1",
}


class SpecListed(BaseModel):
    """`symbols` empty: any. `hash`: SHA-256 of what the spec means, whatever its layout."""

    model_config = ConfigDict(json_schema_extra={"examples": [_LISTED]})

    name: str
    description: str
    timeframe: str
    symbols: list[str]
    sides: list[str]
    hash: str


class SpecShown(SpecListed):
    """With the whole spec as it is packaged; a copy is where one's own begins."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_LISTED, "spec": {"version": 1}}]})

    spec: dict[str, Any]


class FindingTold(BaseModel):
    """`path` is a JSON pointer into the spec, empty for the whole of it."""

    path: str
    reason: str


class JudgementTold(BaseModel):
    """`name` and `hash` are empty for a spec that cannot be read."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"sound": False, "name": "", "hash": "", "findings": [{"path": "/timeframe", "reason": "no such one"}]}
            ]
        }
    )

    sound: bool
    name: str
    hash: str
    findings: list[FindingTold]
