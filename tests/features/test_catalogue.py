"""Every feature says what it is."""

from aister.features.catalogue import CATALOGUE, CONTEXT, feature_ids
from aister.features.timeframes import NAMES
from aister.kernels.outputs import OUTPUTS


def test_every_feature_declares_unit_meaning_and_invariances() -> None:
    for id, feature in CATALOGUE.items():
        assert feature.id == id
        assert feature.unit
        assert feature.meaning.endswith(".")
        assert feature.warmup >= 0
        assert feature.additive or feature.scale or feature.reciprocal or feature.why, id
        assert feature.additive in ("", "same", "moves")
        assert feature.scale in ("", "same", "moves")
        if feature.reciprocal:
            how, partner = feature.reciprocal.split(" ")
            assert how in ("same", "inverse")
            assert partner in CATALOGUE, id


def test_ids_are_timeframe_or_group_and_name() -> None:
    groups = {id.partition(".")[0] for id in CATALOGUE}
    assert groups == {*NAMES, "session", "funding", "clock"}
    assert len(CATALOGUE) == len(NAMES) * (len(OUTPUTS) + 3) + len(CONTEXT)
    for name in NAMES:
        ids = feature_ids(name)
        assert ids[: len(OUTPUTS)] == tuple(f"{name}.{output.name}" for output in OUTPUTS)
        assert ids[len(OUTPUTS) :] == tuple(f"{name}.{count}" for count in ("bars", "complete", "unbroken"))
