"""What /health says."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["HealthTold"]


class HealthTold(BaseModel):
    """`degraded` names the parts that are not well; why is told by /api/v1/system, to who is signed in."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "degraded", "degraded": ["disk"]}]})

    status: Literal["ok", "degraded"]
    degraded: list[str]
