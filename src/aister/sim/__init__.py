"""A venue on bars: orders rest and fill in the kernels' matching step, with every assumption a small replaceable
model."""

from aister.sim.models import Fees, FeeTier, FillModel, Impact, Latency, Margin, Slippage
from aister.sim.venue import SimVenue

__all__ = ["FeeTier", "Fees", "FillModel", "Impact", "Latency", "Margin", "SimVenue", "Slippage"]
