"""`aister ticks replay`: the shipped stretch from the command line."""

import json

from typer.testing import CliRunner

from aister.cli import build


def test_replay_of_the_sample_prints_fills_money_and_queue() -> None:
    plain = CliRunner().invoke(build(), ["ticks", "replay", "sample", "--half-ticks", "1"])
    assert plain.exit_code == 0
    for word in ("local times shifted by +1,27", "as maker", "mean quantity ahead", "net ", "assumed (AsterDex form)"):
        assert word in plain.output
    asked = CliRunner().invoke(build(), ["ticks", "replay", "sample", "--half-ticks", "1", "--json"])
    told = json.loads(asked.output)
    assert told["maker_fills"] == len(told["fills"]["time_ns"]) > 50
    assert told["pnl"] == told["realised"] - told["fees"] + told["unrealised"]


def test_wrong_names_are_refused() -> None:
    for given in (
        ["replay", "nowhere.jsonl"],
        ["replay", "sample", "--queue", "lucky"],
        ["replay", "sample", "--strategy", "x"],
    ):
        assert CliRunner().invoke(build(), ["ticks", *given]).exit_code == 2
