"""GET /api/v1/system."""

from fastapi import FastAPI

from aister.api.frame.access import signed_in
from aister.api.system.schemas import PartTold, SystemTold
from aister.api.system.service import System
from aister.core.people import Role

__all__ = ["add"]


def add(api: FastAPI, system: System) -> None:
    @api.get("/api/v1/system", dependencies=signed_in(Role.VIEWER, "system:read"))
    def system_state() -> SystemTold:
        """Version, engine, time since the start, and every part with what is wrong with it."""
        found = system.state()
        parts = [PartTold(name=part.name, ok=part.ok, reason=part.reason) for part in found.parts]
        return SystemTold(
            version=found.version,
            engine_hash=found.engine_hash,
            started_ms=found.started_ms,
            up_s=int(found.up_s),
            parts=parts,
        )
