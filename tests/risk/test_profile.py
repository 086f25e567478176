"""The three profiles hold the defaults, and a setting that makes no sense is named in one sentence."""

from typing import Any

import msgspec
import pytest

from aister.core.errors import SettingsError
from aister.core.money import rate
from aister.risk.profile import PROFILES, Limits, Pace, profile


def fractions(limits: Limits) -> list[float]:
    names = ["risk", "heat", "daily", "weekly", "reducing", "halted", "gross", "symbol", "cost_to_risk", "kelly"]
    return [getattr(limits, f"{name}_e8") / 1e8 for name in names]


def test_the_profiles_are_the_documented_ones() -> None:
    assert fractions(profile("conservative")) == [0.0025, 0.01, 0.01, 0.03, 0.05, 0.10, 1, 0.5, 0.10, 0.10]
    assert fractions(profile("balanced")) == [0.005, 0.02, 0.02, 0.05, 0.08, 0.15, 2, 1, 0.15, 0.20]
    assert fractions(profile("aggressive")) == [0.01, 0.04, 0.04, 0.08, 0.12, 0.20, 3, 1.5, 0.20, 0.25]
    assert [(p.leverage, p.trades_a_day, p.losses_in_row) for p in PROFILES.values()] == [
        (2, 6, 3),
        (3, 12, 4),
        (5, 24, 5),
    ]
    assert {p.entries for p in PROFILES.values()} == {Pace(5, 10, 60, 1_000)}
    assert {p.max_order_notional for p in PROFILES.values()} == {Limits().max_order_notional}


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_is_sound(name: str) -> None:
    assert profile(name).check() is PROFILES[name]
    assert profile(name).name == name


def test_an_unknown_profile_lists_those_that_are() -> None:
    with pytest.raises(SettingsError, match="choose one of conservative, balanced, aggressive"):
        profile("yolo")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"leverage": -3}, "leverage is -3"),
        ({"leverage": 0}, "leverage is 0"),
        ({"risk_e8": 0}, "risk_e8 is 0"),
        ({"reducing_e8": rate("0.15")}, "reducing_e8 must be below halted_e8"),
        ({"reducing_e8": rate("0.16")}, "reducing_e8 must be below halted_e8"),
        ({"recovered_e8": rate("0.08")}, "recovered_e8 must be below reducing_e8"),
        ({"halted_e8": rate(1)}, "halted_e8 is 100%"),
        ({"risk_e8": rate("0.03")}, "risk_e8 must not exceed heat_e8"),
        ({"daily_e8": rate("0.06")}, "daily_e8 must not exceed weekly_e8"),
        ({"symbol_e8": rate(3)}, "symbol_e8 must not exceed gross_e8"),
        ({"max_order_notional": 10**18}, "max_order_notional must not exceed"),
        ({"unproven_e4": 10_001}, "unproven_e4"),
        ({"kelly_e8": rate("1.1")}, "kelly_e8"),
        ({"entries": Pace(5, 0, 60, 1_000)}, "entries"),
        ({"losses_pause_ms": -1}, "losses_pause_ms is -1"),
    ],
)
def test_nonsense_is_refused_by_name(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=named) as error:
        msgspec.structs.replace(Limits(), **changes).check()
    assert str(error.value).count(". ") == 0 and str(error.value).endswith(".")


def test_a_bound_at_its_edge_is_sound() -> None:
    edges = {"unproven_e4": 10_000, "reducing_size_e4": 10_000, "kelly_e8": rate(1), "risk_e8": rate("0.02")}
    assert msgspec.structs.replace(Limits(), **edges).check().kelly_e8 == rate(1)


def test_the_hash_follows_every_bound() -> None:
    assert Limits().hash == Limits().hash
    hashes = {msgspec.structs.replace(Limits(), **{name: value}).hash for name, value in (
        ("leverage", 2), ("repeats", 6), ("majors", ("BTC",)), ("entries", Pace(5, 11, 60, 1_000)), ("name", "mine"),
    )}  # fmt: skip
    assert len(hashes | {Limits().hash}) == 6
