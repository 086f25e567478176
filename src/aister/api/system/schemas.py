"""What /api/v1/system says."""

from pydantic import BaseModel, ConfigDict

__all__ = ["PartTold", "SystemTold"]


class PartTold(BaseModel):
    """`reason` says what is wrong and what to do; empty when it is well."""

    name: str
    ok: bool
    reason: str


class SystemTold(BaseModel):
    """`engine_hash`: SHA-256 of the code that computes results, as they carry it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "version": "0.1.0",
                    "engine_hash": "9f2c",
                    "started_ms": 1750000000000,
                    "up_s": 61,
                    "parts": [{"name": "disk", "ok": True, "reason": ""}],
                }
            ]
        }
    )

    version: str
    engine_hash: str
    started_ms: int
    up_s: int
    parts: list[PartTold]
