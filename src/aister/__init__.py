"""AISTER. `aister.backtest(...)` runs a strategy over data; everything else is reached through the `aister` command."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["__version__", "backtest"]

__version__ = "0.1.0"

if TYPE_CHECKING:
    from aister.app.backtests import backtest


_REACHED = {"backtest": "aister.app.backtests"}


def __getattr__(name: str) -> Any:
    """Kernels and data readers load only for whoever asks for what needs them."""
    if name in _REACHED:
        return getattr(import_module(_REACHED[name]), name)
    raise AttributeError(f"module 'aister' has no attribute {name!r}")
