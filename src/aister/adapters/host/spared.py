"""What numba looks for when it is imported or loads its first kernel, and nothing here uses: scipy's linear algebra,
cffi, and YAML for a configuration file of its own. To import them would take a quarter of a second of every command."""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["NotForNumba"]

_SPARED = ("scipy", "scipy.linalg", "cffi", "yaml")


class NotForNumba:
    """A finder that tells numba, and nobody else, that these are not installed; numba does without."""

    def find_spec(self, name: str, path: object = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """None: let the others look. Raises `ModuleNotFoundError` when it is numba that asks."""
        if name in _SPARED and _asking().partition(".")[0] == "numba":
            raise ModuleNotFoundError(f"{name} is left out: no kernel uses it", name=name)
        return None


def _asking() -> str:
    """The module whose import statement is being run."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", ""))
