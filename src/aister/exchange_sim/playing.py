"""Moving the market: leg by leg when it runs by itself, phase by phase in lockstep (quant Q3)."""

from typing import Protocol

from aister.core.events import FundingSettled
from aister.core.instrument import Instrument
from aister.exchange_sim.accounts import Account
from aister.exchange_sim.margins import Warden
from aister.exchange_sim.market import Leg, Market
from aister.exchange_sim.telling import Teller
from aister.exchange_sim.trading import Trading
from aister.exchange_sim.triggers import reached

__all__ = ["Player"]


class Stage(Protocol):
    """What the player moves."""

    market: Market
    trading: Trading
    teller: Teller
    accounts: dict[int, Account]

    @property
    def now_ms(self) -> int: ...


class Player:
    """`leg`: the stretch the market is in; None between two, `last` is then the one before."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        settings = stage.trading.settings
        self._closed_bars_only = settings.lockstep and settings.model.intrabar == "stop_first"
        self._warden = Warden(stage.trading)
        self.leg: Leg | None = None
        self.last: Leg | None = None

    def next_ms(self) -> int | None:
        """When the market moves next."""
        if self.leg is not None:
            return self.leg.end_ms
        leg = self._stage.market.next_leg()
        return leg.start_ms if leg else None

    def play(self) -> None:
        """End the leg at hand, and begin the next one if it follows at once."""
        if self.leg is not None:
            end_ms = self.leg.end_ms
            self.end()
            following = self._stage.market.next_leg()
            if following is None or following.start_ms != end_ms:
                return
        self.begin()

    def begin(self, *, settled: bool = False) -> None:
        """A leg begins: settlements due (unless settled already), new terms, the opening."""
        stage = self._stage
        leg = self.leg = stage.market.take_leg()
        if leg.opens:
            if not settled:
                for due in leg.market.funding:
                    self.settle(due, leg)
            self._open_bars(leg)
        for account in stage.accounts.values():
            if not stage.trading.settings.lockstep:
                self._arrange(account, leg)
            account.venue.open(leg.bars)
            stage.trading.collect(account, stage.now_ms)

    def _arrange(self, account: Account, leg: Leg) -> None:
        for bar in leg.bars:
            instrument = self._stage.market.tickers[bar.symbol].instrument
            low, high = instrument.to_ticks(bar.low), instrument.to_ticks(bar.high)
            self._stage.trading.arrange(account, bar.symbol, low, high, self._stage.now_ms)

    def rest(self, *, again: bool = False) -> bool:
        """The rest of the leg; whether any account had reports, and so must be asked again."""
        assert self.leg is not None
        stage, bars = self._stage, self.leg.bars
        stirred = False
        for account in stage.accounts.values():
            account.venue.rest(bars, again=again)
            stirred = self._collect_inside(account, self.leg) or stirred
        return stirred

    def _collect_inside(self, account: Account, leg: Leg) -> bool:
        """Take in what happened on the way. What that drives (orders of a strategy) meets the market where this
        account's path has got to, and works on the rest of it."""
        trading, tickers = self._stage.trading, self._stage.market.tickers
        stood = {bar.symbol: tickers[bar.symbol].last_ticks for bar in leg.bars}
        for symbol, ticks in stood.items():
            tickers[symbol].last_ticks = account.venue.standing(symbol) or ticks
        trading.inside = True
        try:
            return trading.collect(account, leg.end_ms - 1)
        finally:
            trading.inside = False
            for symbol, ticks in stood.items():
                tickers[symbol].last_ticks = ticks

    def end(self) -> None:
        """A leg ends: what happened on it, and the prices at its end."""
        again = False
        while self.rest(again=again):
            again = True
        self.close()

    def close(self) -> None:
        """The market is at the end of the leg."""
        leg, stage = self.leg, self._stage
        assert leg is not None
        self.leg, self.last = None, leg
        volumes = {bar.symbol: bar.volume for bar in leg.market.bars}
        for bar in leg.bars:
            ticker = stage.market.tickers[bar.symbol]
            instrument = ticker.instrument
            steps = max(1, round(bar.volume * 100_000_000 / instrument.step_e8))
            prices = _path(leg, bar.open, bar.high, bar.low, bar.close)
            each = max(1, steps // len(prices))
            for i, price in enumerate(prices, 1):
                volume = volumes[bar.symbol] if leg.closes and i == len(prices) else None
                self._print(bar.symbol, instrument.to_ticks(price), each, volume)
            if self._closed_bars_only:
                stage.teller.bar_moved(bar.symbol, stage.now_ms)
        if not stage.trading.settings.lockstep:
            for account in stage.accounts.values():
                self._trigger(account)
                self._warden.look(account, stage.now_ms)

    def _trigger(self, account: Account) -> None:
        """What is kept off the book and has been reached."""
        stage, protect_e8 = self._stage, self._stage.trading.settings.trigger_protect_e8
        if stage.trading.settings.mark == "last":
            return
        for order in account.open_orders():
            if order.watched and reached(order, stage.market.tickers[order.symbol], protect_e8):
                stage.trading.trigger(account, order, stage.now_ms)

    def _print(self, symbol: str, ticks: int, steps: int, volume: float | None = None) -> None:
        """The market trades at a price; with the bar's whole `volume`, for the last time in it. In lockstep with
        `stop_first` nothing is told but closed bars: what happens inside one has no order (quant Q3)."""
        stage = self._stage
        ticker = stage.market.tickers[symbol]
        trade = ticker.move(ticks, steps, stage.now_ms)
        if volume is not None:
            ticker.klines[-1].closed, ticker.klines[-1].volume = True, volume
        if not self._closed_bars_only:
            stage.teller.traded(symbol, trade, stage.now_ms)

    def welcome(self, account: Account) -> None:
        """A new account learns where the market is and, in lockstep, what its newest bars were."""
        if self._stage.trading.settings.lockstep:
            account.venue.remember(bar for market in self._stage.market.history for bar in market.bars)
        newest = self.leg or self.last
        if newest is not None:
            account.venue.open(newest.bars)

    def _open_bars(self, leg: Leg) -> None:
        stage = self._stage
        for instrument in leg.market.instruments:
            self.relist(instrument)
        for bar in leg.bars:
            ticker = stage.market.tickers[bar.symbol]
            ticks = ticker.instrument.to_ticks(bar.open)
            ticker.start_bar(leg.start_ms, leg.start_ms + stage.market.interval_ms, ticks)
            if ticks != ticker.last_ticks:
                self._print(bar.symbol, ticks, 1)

    def settle(self, settled: FundingSettled, leg: Leg) -> None:
        """Charge a settlement at the opening price of its symbol, else at the last price known."""
        stage = self._stage
        ticker = stage.market.tickers[settled.symbol]
        ticker.funding_e8 = settled.rate_e8
        ticker.settlements.append(settled)
        opens = next((bar.open for bar in leg.bars if bar.symbol == settled.symbol), None)
        price = opens if opens is not None else ticker.instrument.price(ticker.last_ticks)
        for account in stage.accounts.values():
            account.venue.settle(settled, price)
            stage.trading.collect(account, stage.now_ms)

    def relist(self, instrument: Instrument) -> None:
        """New terms for everybody from now on."""
        self._stage.market.tickers[instrument.symbol].relist(instrument, self._stage.now_ms)
        for account in self._stage.accounts.values():
            account.list_instrument(instrument)


def _path(leg: Leg, o: float, high: float, low: float, c: float) -> tuple[float, ...]:
    """Prices printed on the way: of a whole bar its corners, of a straight leg its end."""
    if not (leg.opens and leg.closes):
        return (c,)
    return (low, high, c) if o - low <= high - o else (high, low, c)
