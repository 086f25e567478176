"""What holds for every test: repeatable chance, one kernel cache for all, and nobody's home is touched."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from aister.kernels.cache import user_cache_root

# The same examples every time, and the line that repeats a failure is printed.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("ci")

# Tests that start `aister` elsewhere or with another HOME share the kernels compiled here.
os.environ.setdefault("AISTER_CACHE", str(user_cache_root()))


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """State of this session, thrown away with it; a test that needs its own sets AISTER_HOME again."""
    folder = tmp_path_factory.mktemp("aister-home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AISTER_HOME", str(folder))
        yield folder
