"""`aister bench engine` measures what it says, beside a reference of the same run; the campaign publishes the
figures."""

import json
import subprocess
import sys

import pytest

from aister.bench import BENCHES, Figure, bench
from aister.bench.engine import measure
from aister.core.errors import UsageError
from checks.results import measuring
from tests.deciding import deciding


def test_an_unknown_bench_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="engine"):
        bench("sandwich")


def test_every_bench_can_be_found() -> None:
    for name in BENCHES:
        assert callable(bench(name))


@pytest.fixture(scope="module")
def figures() -> list[Figure]:
    return list(measure(quick=True))


def test_every_figure_but_the_reference_stands_beside_one(figures: list[Figure]) -> None:
    by_name = {figure.name: figure for figure in figures}
    plain = by_name["plain loop"]
    for name in ("engine, bare", "engine, council and journal"):
        figure = by_name[name]
        assert figure.reference == plain.value and figure.ratio == figure.value / plain.value
        assert "target met" in figure.note or "target MISSED" in figure.note
    assert by_name["engine, council and journal"].value < by_name["engine, bare"].value < plain.value
    assert "durability" in by_name["engine, council and journal"].note


def test_memory_does_not_grow_with_the_number_of_bars(figures: list[Figure]) -> None:
    """Four times the bars in a fresh process; 5 % is what two equal runs differ by."""
    peak = next(figure for figure in figures if figure.name == "peak memory, full")
    assert peak.ratio is not None and peak.ratio < 1.05


def test_one_json_object_a_line() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "aister", "bench", "--json"], capture_output=True, text=True, check=True
    )
    assert [row["name"] for row in json.loads(ran.stdout)] == list(BENCHES)


@pytest.mark.campaign
def test_campaign_engine_speed_and_memory() -> None:
    paths = deciding("council", "bench/engine.py")
    with measuring("engine", command="make campaign CAMPAIGN_ARGS='-k engine_speed'", seeds=[1], paths=paths) as out:
        for figure in measure(quick=False):
            name = figure.name.replace(",", "").replace(" ", "_")
            out[name] = round(figure.value)
            if figure.ratio is not None:
                out[f"{name}_ratio"] = round(figure.ratio, 2)
    assert out["engine_bare"] > 0
