"""The simulated exchange as a wire in the same process: requests are handled where they are sent, on its clock."""

from aister.adapters.exchanges.aster.wire import Frames, Lost, Reply
from aister.exchange_sim import Connection, Exchange, Refusal, Request

__all__ = ["ExchangeClock", "IndoorFrames", "IndoorWire"]


class ExchangeClock:
    """Time is the exchange's; waiting plays its market. `wall_ahead_ms`: how wrong this machine's wall clock is."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.wall_ahead_ms = 0

    def now_ms(self) -> int:
        return self.exchange.now_ms + self.wall_ahead_ms

    def monotonic_ms(self) -> float:
        return self.exchange.now_us / 1000.0

    async def sleep(self, ms: float) -> None:
        self.exchange.advance_us(self.exchange.now_us + round(ms * 1000))


class IndoorWire:
    """`delay_ms` each way. A request that is never answered takes its timeout, after having arrived or not."""

    def __init__(self, exchange: Exchange, clock: ExchangeClock, delay_ms: float = 5.0) -> None:
        self.exchange = exchange
        self.clock = clock
        self.delay_ms = delay_ms
        self.sent: list[Request] = []

    async def request(
        self, method: str, path: str, query: bytes, body: bytes, headers: tuple[tuple[str, str], ...], timeout_ms: int
    ) -> Reply | Lost:
        request = Request(method, path, query, body, {name.lower(): value for name, value in headers})
        self.sent.append(request)
        await self.clock.sleep(self.delay_ms)
        response = self.exchange.handle(request)
        if response.status < 0:
            return Lost(False, "Nobody listens there.")
        if response.status == 0:
            await self.clock.sleep(max(0.0, timeout_ms - self.delay_ms))
            return Lost(True, f"No answer within {timeout_ms} ms.")
        await self.clock.sleep(self.delay_ms)
        told = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status, told, response.body)

    async def connect(self, path: str, timeout_ms: int) -> Frames | Lost:
        await self.clock.sleep(self.delay_ms)
        where, _, query = path.partition("?")
        try:
            return IndoorFrames(self.exchange.connect(where, query), self.clock)
        except Refusal as refusal:
            return Lost(True, f"{refusal.text} (within {timeout_ms} ms)")


class IndoorFrames:
    """One connection; waiting for a frame plays the market until one comes."""

    def __init__(self, connection: Connection, clock: ExchangeClock) -> None:
        self._connection = connection
        self._clock = clock
        self._waiting: list[str] = []

    async def receive(self, timeout_ms: int) -> bytes | None:
        until = self._clock.monotonic_ms() + timeout_ms
        while True:
            for _ in range(self._connection.take_pings()):
                self._connection.pong()
            self._waiting += self._connection.take()
            if self._waiting:
                return self._waiting.pop(0).encode()
            if self._connection.closed:
                return None
            left = until - self._clock.monotonic_ms()
            if left <= 0:
                return b""
            await self._clock.sleep(min(left, 100.0))

    async def send(self, text: bytes) -> bool:
        if self._connection.closed:
            return False
        self._connection.receive(text.decode())
        return True

    async def close(self) -> None:
        self._connection.close(1000)
