"""The contracts there are."""

from collections.abc import Mapping

from aister.api.frame.problems import Refusal
from aister.core.instrument import Instrument

__all__ = ["Listing"]


class Listing:
    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._instruments = dict(sorted(instruments.items()))

    def after(self, symbol: str | None, quote: str | None) -> list[Instrument]:
        """In order of symbol, those after one, of one quote asset if it is named."""
        return [
            one
            for name, one in self._instruments.items()
            if (symbol is None or name > symbol) and (quote is None or one.quote == quote)
        ]

    def one(self, symbol: str) -> Instrument:
        """Raises `Refusal` (404) when there is none of that name."""
        if symbol not in self._instruments:
            raise Refusal(404, f"There is no instrument of that name; choose one of {', '.join(self._instruments)}.")
        return self._instruments[symbol]
