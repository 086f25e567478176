"""The data the package ships: a store of its own, read where it is installed. Its README says where it came from."""

from importlib.resources import files
from pathlib import Path

from aister.adapters.store.instruments import INSTRUMENTS, read_instruments
from aister.adapters.store.market import MarketStore
from aister.core.instrument import Instrument

__all__ = ["sample_folder", "sample_store", "shipped_instruments"]


def sample_folder() -> Path:
    return Path(str(files("aister"))) / "sample"


def sample_store() -> MarketStore:
    return MarketStore.open(sample_folder())


def shipped_instruments() -> dict[str, Instrument]:
    """Assumed instruments of a few liquid symbols, for data that come without."""
    return read_instruments(sample_folder() / INSTRUMENTS)
