"""Names of indicators: one spelling each, refused with a sentence, and the old names are the same values."""

import numpy as np
import pytest

from aister.core.errors import UsageError
from aister.features.catalogue import CATALOGUE, feature
from aister.features.columns import FeatureColumns
from aister.features.indicators import KINDS, STANDARD, indicator, name_of
from aister.kernels.features import symbol_state, tabulate
from aister.kernels.outputs import OUTPUTS
from tests.features.examples import ALL, EXAMPLES
from tests.features.series import gapped, series_of
from tests.kernels.walks import MINUTE_MS


def test_every_kind_has_examples_that_parse() -> None:
    assert EXAMPLES.keys() == KINDS.keys()
    for name in ALL:
        made = indicator(name)
        assert made.name == name == name_of(made.kind, *made.parameters)
        assert made.warmup >= 1
        assert made.meaning.endswith(".")
        assert "{" not in made.meaning + made.undetermined
        assert made.additive or made.scale or made.reciprocal or made.why


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ema_034", "one spelling only: write it 'ema_34'"),
        ("ema_34.0", "write it 'ema_34'"),
        ("bollinger_upper_20_2.50", "write it 'bollinger_upper_20_2.5'"),
        ("ema", "has 0 of the 1 parameters of ema: write it ema_SPAN"),
        ("ema_3_4", "has 2 of the 1 parameters"),
        ("bollinger_upper_20", "write it bollinger_upper_SPAN_WIDTH"),
        ("close_3", "has 1 of the 0 parameters"),
        ("ema_nan", "'nan' is no finite number"),
        ("keltner_upper_20_inf", "'inf' is no finite number"),
        ("ema_", "'' is no number"),
        ("ema_3x", "'3x' is no number"),
        ("ema_1", "span must be from 2 to 500"),
        ("ema_501", "span must be from 2 to 500"),
        ("ema_-20", "span must be from 2 to 500"),
        ("rsi_7.5", "span must be a whole number from 2 to 500"),
        ("bollinger_upper_20_0", "width must be from 0.1 to 20"),
        ("macd_26_12_9", "fast must be smaller than slow"),
        ("swing_high_21", "side must be from 1 to 20"),
        ("hull_20", "There is no indicator 'hull_20'; the kinds are adx, atr"),
        ("", "There is no indicator ''"),
    ],
)
def test_what_is_no_indicator_is_refused_with_the_remedy(name: str, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        indicator(name)
    assert words in str(refused.value)


def test_the_names_of_the_catalogue_are_indicators_of_the_same_values() -> None:
    """`ema_20`, `macd`, `swing_high_known_at`: parsed, and their columns are the kernel's own table, bit for bit."""
    bars = gapped(3_000, 71)
    columns = FeatureColumns(series_of(bars))
    for slot, timeframe in ((0, "1m"), (1, "5m")):
        _, table = tabulate(symbol_state(MINUTE_MS), *bars, slot)
        closes = columns.closes(timeframe)
        for output in OUTPUTS:
            made = indicator(output.name)
            described = feature(f"{timeframe}.{made.name}")
            assert (made.unit, made.warmup, made.additive, made.scale) == (
                output.unit, output.warmup, output.additive, output.scale,
            ), output.name  # fmt: skip
            assert (described.unit, described.warmup) == (output.unit, output.warmup)
            got = columns.column(timeframe, output.name)[closes.readable][output.warmup - 1 :]
            expected = table[output.name][output.warmup - 1 :]
            known = ~np.isnan(got)
            assert got[known].tolist() == expected[known].tolist(), output.name
            assert known.sum() > len(got) // 2 > 50
    assert {indicator(name).name for name in STANDARD} == set(STANDARD.values())


def test_a_feature_of_any_id_can_be_described() -> None:
    assert feature("15m.ema_20") is CATALOGUE["15m.ema_20"]
    assert feature("1h.highest_55").reciprocal == "inverse 1h.lowest_55"
    assert feature("session.weekday").unit == "0..6"
    for id in ("3m.ema_34", "session.ema_34", "ema_34", "15m.ema"):
        with pytest.raises(UsageError):
            feature(id)
