"""AISTER. `aister.backtest(...)` runs a strategy over data; everything else is reached through the `aister` command."""

from typing import TYPE_CHECKING, Any

__all__ = ["__version__", "backtest"]

__version__ = "0.1.0"

if TYPE_CHECKING:
    from aister.app.backtests import backtest


def __getattr__(name: str) -> Any:
    if name == "backtest":  # kernels and data readers load only for whoever asks
        from aister.app.backtests import backtest

        return backtest
    raise AttributeError(f"module 'aister' has no attribute {name!r}")
