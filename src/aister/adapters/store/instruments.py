"""The instruments file: filters, fees, funding interval and maintenance brackets in exchangeInfo form, with its
source."""

import json
from pathlib import Path

from aister.core.errors import DataError
from aister.core.instrument import Instrument, instrument_from_venue

__all__ = ["INSTRUMENTS", "read_instruments"]

INSTRUMENTS = "instruments.json"
_LARGEST = 16 << 20


def read_instruments(path: Path) -> dict[str, Instrument]:
    """Instruments by symbol; each carries the file's `source`, shown wherever it is. Raises `DataError` naming the
    symbol."""
    try:
        if path.stat().st_size > _LARGEST:
            raise DataError(f"{path} is larger than {_LARGEST:,} bytes; it is no instruments file.")
        document = json.loads(path.read_bytes())
        rows, source = document["symbols"], str(document["source"])
        return {row["symbol"]: instrument_from_venue(row, source) for row in rows}
    except (OSError, ValueError, KeyError, TypeError, ArithmeticError, RecursionError) as error:
        raise DataError(
            f"{path} is no instruments file ({error}); it needs `source` and `symbols` in exchangeInfo form."
        ) from None
