"""A Python strategy from its file to its trades, in its own process."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from aister.adapters.sandbox.run import run_python_strategy
from aister.adapters.sandbox.source import read_strategy
from aister.core.errors import StrategyError, UsageError
from aister.lab.batch import Plan
from aister.ports.market import Market
from aister.sim.models import FillModel
from tests.adapters.sandbox.given import CAPITAL, HOSTILE, inline, market, run

CROSS = inline("""
from aister.strategy import LONG, SHORT, Enter, PythonStrategy


class Cross(PythonStrategy):
    timeframe = "1m"
    features = ("1m.ema_5", "5m.ema_5", "session.weekday")
    warm_up = 12

    def __init__(self, stop=0.002, calm=True):
        self.stop = stop

    def on_bar(self, bar, account):
        fast, slow = bar["1m.ema_5"], bar["5m.ema_5"]
        if account.free and slow == slow and bar["session.weekday"] in (0, 6):
            side = LONG if fast > slow else SHORT
            print(f"{bar.symbol} {side}")
            return Enter(side, stop=bar.close * (1 - side * self.stop), targets=bar.close * (1 + side * 0.003))
""")


def test_from_file_to_trades() -> None:
    done = run(CROSS, parameters={"stop": 0.0025}, market=market(900, start=250))
    assert (done.name, done.timeframe, done.filtered, done.dropped) == ("Cross", "1m", False, 0)
    assert len(done.simulated.trades) > 5 and done.parameters == {"stop": 0.0025}
    assert (done.declared, done.warm_up) == ({"stop": 0.0025, "calm": True}, 12)
    assert done.printed.splitlines()[0] in ("BTCUSDT 1", "BTCUSDT -1")
    assert done.cpu_s > 0.0 and not done.walls.open
    first_ms = int(market(900).series[0].open_ms[250])
    assert int(done.signals.setups["time_ms"][0]) > first_ms


def test_what_is_revealed_at_a_time_changes_nothing() -> None:
    one, many = run(CROSS, reveal=1), run(CROSS, reveal=50)
    assert np.array_equal(one.signals.setups, many.signals.setups) and len(one.signals.setups) > 0
    assert (one.reveal, many.reveal) == (1, 50)


SLOW = inline("""
import time
from aister.strategy import PythonStrategy


class Slow(PythonStrategy):
    timeframe = "1m"

    def on_bar(self, bar, account):
        if bar.close > 0 and not hasattr(self, "slept"):
            self.slept = time.sleep(2.5)
""")


def test_how_far_it_has_got_is_told_at_every_block_and_while_it_thinks() -> None:
    told: list[tuple[int, int]] = []
    run(SLOW, market=market(120), reveal=50, progress=lambda answered, closes: told.append((answered, closes)))
    first, last = told[0], told[-1]
    assert told == sorted(told) and {closes for _, closes in told} == {last[1]}
    assert told.count(first) >= 3 and [answered for answered, _ in told if answered > first[0]] == [
        first[0] + 50,
        first[0] + 100,
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('timeframe = "7m"', "decides on '7m'"),
        ('features = ("1m.nothing_3",)', "nothing"),
        ('features = ("1m.ema_20", "1m.ema_20")', "each once"),
    ],
)
def test_what_it_asks_for_must_exist(line: str, said: str) -> None:
    text = f"from aister.strategy import PythonStrategy\nclass S(PythonStrategy):\n    timeframe = '1m'\n    {line}\n"
    with pytest.raises(UsageError, match=said):
        run(inline(text))


def test_parameters_it_does_not_have_are_told() -> None:
    with pytest.raises(StrategyError, match="unexpected keyword argument 'speed'"):
        run(CROSS, parameters={"speed": 1})


def test_one_symbol_at_a_time() -> None:
    one = market(60).series[0]
    with pytest.raises(UsageError, match="one symbol"):
        run_python_strategy(CROSS, Market((one, one), (0, 1), ""), Plan(), FillModel(), CAPITAL)
    hedged = FillModel(position_mode="hedge")
    with pytest.raises(UsageError, match="holds one position at a time"):
        run_python_strategy(CROSS, Market((one,), (0, 1), ""), Plan(), hedged, CAPITAL)
    with pytest.raises(UsageError, match="at least one close"):
        run(CROSS, reveal=0)


def test_the_file_is_read_once_and_hashed(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("x = 'é'\n", encoding="utf-8")
    read = read_strategy(path)
    assert (read.name, read.text) == ("mine.py", "x = 'é'\n")
    assert read.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes(b"x = '\xe9'")
    (tmp_path / "large.py").write_bytes(b"#" * 1_048_577)
    for path, said in (
        (tmp_path / "latin.py", "not UTF-8"),
        (tmp_path / "large.py", "larger than 1 MB"),
        (tmp_path, "cannot be read|not a plain file"),
        (tmp_path / "none.py", "cannot be read"),
    ):
        with pytest.raises(UsageError, match=said):
            read_strategy(path)
    assert HOSTILE.is_dir()
