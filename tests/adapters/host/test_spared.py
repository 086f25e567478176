"""Numba alone is told that what no kernel uses is not there."""

import pytest

from aister.adapters.host.spared import NotForNumba

ASK = "found = finder.find_spec(name)"


@pytest.mark.parametrize("name", ["scipy", "scipy.linalg", "cffi", "yaml"])
def test_numba_does_without(name: str) -> None:
    with pytest.raises(ModuleNotFoundError, match="no kernel uses it"):
        exec(ASK, {"__name__": "numba.np.linalg", "finder": NotForNumba(), "name": name})


@pytest.mark.parametrize(("asking", "name"), [("optuna.samplers", "scipy.linalg"), ("numba.core.types", "numpy")])
def test_everybody_else_finds_everything(asking: str, name: str) -> None:
    said = {"__name__": asking, "finder": NotForNumba(), "name": name}
    exec(ASK, said)
    assert said["found"] is None
