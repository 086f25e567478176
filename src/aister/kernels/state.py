"""Memory of the rules: one structured element over plain bytes, so that a snapshot is a copy of bytes (0.6 us, not
70)."""

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

State = npt.NDArray[np.void]
"""A 1-element structured array; its `[0]` inside a kernel is the Record that steps take."""

_PREFIX = 16
_digests: dict[
    int, tuple[np.dtype[Any], bytes]
] = {}  # by identity: hashing a nested dtype takes 300 us; holding it keeps its id


class LayoutChanged(ValueError):
    """A snapshot was taken with another layout of the state and cannot be read into this one."""


def allocate(layout: np.dtype[Any]) -> State:
    """One element of `layout`, every byte zero."""
    return np.zeros(layout.itemsize, "u1").view(layout)


def layout_digest(layout: np.dtype[Any]) -> bytes:
    """16 bytes naming the layout: field names, types, order and offsets."""
    known = _digests.get(id(layout))
    if known is None:
        digest = hashlib.blake2b(repr((layout.descr, layout.itemsize)).encode(), digest_size=_PREFIX).digest()
        known = _digests[id(layout)] = (layout, digest)
    return known[1]


def snapshot(state: State) -> bytes:
    """The state as bytes, led by the digest of its layout."""
    return layout_digest(state.dtype) + state.tobytes()


def restore(state: State, taken: bytes) -> None:
    """Overwrite `state` with a snapshot. Raises LayoutChanged when it was taken with another layout; then nothing is
    written."""
    if taken[:_PREFIX] != layout_digest(state.dtype) or len(taken) != _PREFIX + state.nbytes:
        raise LayoutChanged(
            "this snapshot was taken with another layout of the feature state: rebuild it from bars instead"
        )
    state.view("u1")[:] = np.frombuffer(taken, "u1", offset=_PREFIX)
