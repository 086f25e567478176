"""What integers of ticks and steps mean when the venue's grid and a run's own are not the same any more."""

import msgspec

from aister.adapters.exchanges.aster.account import AsterAccount
from aister.core.trade import OrderType
from aister.ports.exchange import Placed
from tests.adapters.exchanges.aster.scene import Scene, order
from tests.sim.market import instrument


def test_a_run_counts_by_the_terms_it_began_with() -> None:
    """After a restart the venue may list another tick than the chain counts in: sizes and prices keep their meaning."""
    scene = Scene()

    async def talk(account: AsterAccount) -> None:
        listed = account.contracts.instruments["BTCUSDT"]
        account.contracts.count_by(msgspec.structs.replace(listed, tick_e8=listed.tick_e8 * 10, unit=listed.unit * 10))
        assert isinstance(await account.instruments(), dict)
        assert account.contracts.grid("BTCUSDT").tick == listed.tick_e8 * 10
        placed = await account.place(order(type=OrderType.LIMIT, price_ticks=90_000))
        assert isinstance(placed, Placed) and placed.order.price_ticks == 90_000
        assert scene.books.open_orders()[0].price_ticks == 900_000

    scene.run(talk)


def test_a_contract_that_is_gone_is_told_of_under_a_status_that_says_so() -> None:
    scene = Scene(watched=("BTCUSDT", "ETHUSDT"))

    async def talk(account: AsterAccount) -> None:
        held, listed = instrument("ETHUSDT"), instrument("BTCUSDT")
        assert account.contracts.terms(held) == msgspec.structs.replace(held, status="GONE")
        assert account.contracts.terms(listed) == account.contracts.instruments["BTCUSDT"]
        assert account.contracts.terms(instrument("SOLUSDT")).status == "TRADING"  # never asked for: nothing is known

    scene.run(talk)
