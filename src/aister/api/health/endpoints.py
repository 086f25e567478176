"""GET /health."""

from fastapi import FastAPI

from aister.api.health.schemas import HealthTold
from aister.api.health.service import Health

__all__ = ["add"]


def add(api: FastAPI, health: Health) -> None:
    @api.get("/health")
    def is_it_well() -> HealthTold:
        """Whether every part is well. It answers 200 as long as the server itself does."""
        ill = [part.name for part in health.parts() if not part.ok]
        return HealthTold(status="degraded" if ill else "ok", degraded=ill)
