import ctypes
import resource

import numpy as np
import pytest

from aister.lab.memory import keep_freed


def _faults_of_an_array() -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.empty(2_000_000).fill(1.0)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="another allocator than glibc's")
def test_an_array_takes_the_memory_of_the_one_before() -> None:
    assert keep_freed()
    _faults_of_an_array()
    assert min(_faults_of_an_array() for _ in range(5)) < 100
