"""Paths and weights as the reference lists them."""

import pytest

from aister.adapters.exchanges.aster.endpoints import ENDPOINTS, weight


@pytest.mark.parametrize(
    ("name", "params", "expected"),
    [
        ("place", {}, 1),
        ("open_orders", {}, 40),
        ("open_orders", {"symbol": "BTCUSDT"}, 1),
        ("klines", {"limit": "99"}, 1),
        ("klines", {"limit": "100"}, 2),
        ("klines", {"limit": "500"}, 5),
        ("klines", {}, 5),
        ("klines", {"limit": "1000"}, 5),
        ("klines", {"limit": "1001"}, 10),
        ("depth", {"limit": "50"}, 2),
        ("depth", {"limit": "100"}, 5),
        ("depth", {"limit": "500"}, 10),
        ("depth", {"limit": "1000"}, 20),
    ],
)
def test_weights(name: str, params: dict[str, str], expected: int) -> None:
    assert weight(ENDPOINTS[name], params) == expected


def test_paths_of_both_versions() -> None:
    assert ENDPOINTS["account"].path("v3") == "/fapi/v3/accountWithJoinMargin"
    assert ENDPOINTS["account"].path("v1") == "/fapi/v4/account"
    assert ENDPOINTS["noop"].path("v1") == ""
    assert all(one.v3.startswith("/fapi/v3/") for one in ENDPOINTS.values())
    forbidden = ("withdraw", "transfer", "agent", "builder", "migrate", "sub")
    assert not any(word in one.v3.lower() for one in ENDPOINTS.values() for word in forbidden)
