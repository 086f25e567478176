"""Random specs: the columns say what the bars say, both what the document means."""

from itertools import pairwise

import jsonschema
import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from aister.features.columns import FeatureColumns
from aister.ports.market import Series
from aister.strategy.spec.batch import Sheet, compile_spec
from aister.strategy.spec.canon import canonical, spec_hash
from aister.strategy.spec.live import SpecStrategy
from aister.strategy.spec.schema import spec_schema
from aister.strategy.spec.spec import read_spec
from tests.kernels.walks import START_MS, walk
from tests.strategy.scenes import instrument
from tests.strategy.spec.live_run import COST_E8, closes, drive, rows_of, said
from tests.strategy.spec.naive import Naive
from tests.strategy.spec.random_specs import Document, documents

FIVE_MS = 300_000
SCHEMA = jsonschema.Draft202012Validator(spec_schema())
SLOW = settings(
    max_examples=30,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),  # making a spec smaller takes minutes; the seed repeats it
)


def market(count: int, seed: int) -> Series:
    """Five-minute bars with gaps of one and of several, history in front, settlements every eight hours."""
    lost = [40, 41, 333, *range(500, 520), 901]
    bars = walk(count, seed, start=90_000.0, interval_ms=FIVE_MS).take(np.setdiff1d(np.arange(count), lost))
    settled = START_MS + 8 * 3_600_000 * np.arange(1, count // 96 + 1)
    rates = np.where(np.arange(len(settled)) % 2, 10_000, -5_000)
    return Series(instrument(), FIVE_MS, *bars, settled, rates, start=100)


MARKETS = [market(1_400, seed) for seed in (1, 2)]
COLUMNS = [FeatureColumns(series) for series in MARKETS]
SHEETS = {(at, name): Sheet(columns, name) for at, columns in enumerate(COLUMNS) for name in ("5m", "15m", "1h")}


@SLOW
@given(document=documents(), at=st.sampled_from((0, 1)))
def test_the_columns_say_what_the_bars_say(document: Document, at: int) -> None:
    spec = read_spec(document)
    setups, exits, unsound = drive(spec, MARKETS[at])
    for sheet in (None, SHEETS[at, spec.timeframe]):  # alone, and sharing columns with every spec before it
        signals = compile_spec(spec, COLUMNS[at], COST_E8, sheet)
        assert rows_of(signals) == said(setups)
        assert [(time, side) for time, side in signals.exits.tolist()] == exits
        assert signals.unsound == unsound


@settings(SLOW, max_examples=8)
@given(document=documents())
def test_both_are_what_the_document_means(document: Document) -> None:
    spec = read_spec(document)
    strategy, naive = SpecStrategy(spec), Naive(document)
    sides = {1: "long", -1: "short"}
    for features in closes(spec, MARKETS[0]):
        if features.time_ms % spec.interval_ms or features.get(f"{spec.timeframe}.complete") != 1.0:
            continue
        naive.take(features, spec.interval_ms)
        before = strategy.unsound
        fired = strategy.setups(features, instrument(), COST_E8)
        meant = [sign for sign, word in sides.items() if word in document and naive.fires(document[word])]
        assert len(meant) >= len(fired)
        assert [int(one.side) for one in fired] == meant[strategy.unsound - before :][:1]
        leaves = [s for s, w in sides.items() if naive.truth(document.get(w, {}).get("exit", {"==": [0, 1]})) is True]
        assert [int(side) for side in strategy.exits(features, instrument())] == leaves


@settings(SLOW, max_examples=20)
@given(document=documents())
def test_it_is_written_and_read_back_as_itself(document: Document) -> None:
    spec = read_spec(document)
    again = read_spec(canonical(spec))
    assert again == spec
    assert spec_hash(again) == spec_hash(spec)
    SCHEMA.validate(document)


def test_random_specs_fire() -> None:
    """The property above is about something: in these markets most specs fire, long and short, some unsoundly."""
    counted: list[tuple[int, int, int]] = []

    @settings(SLOW, max_examples=100, database=None)  # so many that chance alone does not miss the counts below
    @given(document=documents())
    def count(document: Document) -> None:
        signals = compile_spec(read_spec(document), COLUMNS[0], COST_E8)
        sides = signals.setups["side"]
        counted.append((int((sides > 0).sum()), int((sides < 0).sum()), signals.unsound))
        assert all(one < other for one, other in pairwise(signals.setups["time_ms"].tolist()))

    count()
    longs, shorts, unsound = (sum(1 for row in counted if row[index]) for index in range(3))
    assert longs > 5 and shorts > 5 and unsound > 3
