"""Ids that say whose order it is and which record asked for it."""

import pytest

from aister.core.errors import SettingsError
from aister.execution.identity import client_id, instance_id, instance_of, sequence_of


def test_an_id_says_whose_it_is_and_fits_the_venue() -> None:
    instance = instance_id(bytes(range(8)))
    made = client_id(instance, 2**40, 12)
    assert (instance_of(made), sequence_of(made)) == (instance, 2**40)
    assert len(client_id(instance, 2**48 - 1, 2**16 - 1)) <= 36
    assert instance_id(bytes(8)) != instance


def test_foreign_ids_are_nobodys() -> None:
    for foreign in ("web_abc", "autoclose-1", "x-ABCDEF", "", "ai0000000-1-1", "ai00000000-1-1-1"):
        assert instance_of(foreign) is None and sequence_of(foreign) is None


def test_too_little_randomness_is_refused() -> None:
    with pytest.raises(SettingsError):
        instance_id(b"abcd")
