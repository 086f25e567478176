"""AISTER. `aister.backtest(...)` runs a strategy over data; everything else is reached through the `aister` command."""

from typing import TYPE_CHECKING, Any

__all__ = ["__version__", "backtest"]

__version__ = "0.1.0"

if TYPE_CHECKING:
    from aister.app.backtests import backtest

_ON_DEMAND = {"backtest": "aister.app.backtests"}
"""Where a name lives whose kernels and data readers load only for whoever asks."""


def __getattr__(name: str) -> Any:
    if name not in _ON_DEMAND:
        raise AttributeError(f"module 'aister' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_ON_DEMAND[name]), name)
