"""A position between two steps: the venue's step became finer and somebody traded in it, while the books count on in
the old one."""

import json

from aister.core.trade import Purpose, Side
from aister.exchange_sim import Fault
from aister.execution.reconcile import FindingKind, Ours, reconcile
from aister.execution.recovery import Recovery
from aister.ports.exchange import Open
from tests.execution.scene import SYMBOL, Scene, order
from tests.sim.market import instrument

US, OTHER = "ai00000000", "ETHUSDT"
BY_HAND = f"symbol={SYMBOL}&side=BUY&type=MARKET&quantity=0.1005&newClientOrderId=web_1"


def finer() -> Fault:
    """Ten steps of the contract where there was one."""
    one = instrument(SYMBOL)
    terms = {
        "step_e8": one.step_e8 // 10,
        "unit": one.unit // 10,
        "min_steps": one.min_steps * 10,
        "max_steps": one.max_steps * 10,
        "market_max_steps": one.market_max_steps * 10,
    }
    return Fault("instrument", at_ms=500, symbol=SYMBOL, text=json.dumps(terms))


def test_it_hides_no_other_position_freezes_entries_and_can_be_closed_whole() -> None:
    scene = Scene(finer(), Fault("foreign_order", at_ms=2_000, text=BY_HAND), symbols=(SYMBOL, OTHER), stream=False)

    async def story() -> None:
        await scene.wait(4_000)
        scene.send(order(f"{US}-1-1", symbol=OTHER))
        await scene.wait(4_000)
        open_ = await scene.account.survey()
        assert isinstance(open_, Open)
        held = {one.symbol: (one.steps, one.between) for one in open_.positions if one.steps}
        assert held == {SYMBOL: (101, "0.1005"), OTHER: (100, "")}
        kinds = [one.kind for one in reconcile(Ours(US, (SYMBOL, OTHER), {(OTHER, 0): 100}, ()), open_, None)]
        assert kinds.count(FindingKind.TERMS) == kinds.count(FindingKind.DIFFERS) == 1
        keeper = Recovery(
            scene.account, scene.courier, lambda: scene.courier.ours(US, (SYMBOL, OTHER)), sleep=scene.world.sleep
        )
        await keeper.start()
        assert "0.1005" in scene.courier.teller.frozen["terms"]
        scene.send(order(f"{US}-2-1", Side.SELL, 101, purpose=Purpose.CLOSE, reduce_only=True))
        await scene.wait(2_000)
        assert scene.steps == 0
        assert isinstance(await keeper.reconcile(), Open)
        assert "terms" not in scene.courier.teller.frozen

    scene.play(story)


def test_a_short_one_counts_away_from_zero_too() -> None:
    by_hand = BY_HAND.replace("BUY", "SELL")
    scene = Scene(finer(), Fault("foreign_order", at_ms=2_000, text=by_hand), stream=False)

    async def story() -> None:
        await scene.wait(4_000)
        (held,) = rows if isinstance(rows := await scene.account.positions(), tuple) else ()
        assert (held.steps, held.between) == (-101, "-0.1005")

    scene.play(story)
