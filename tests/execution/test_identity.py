"""Ids that say whose order it is and which record asked for it."""

import pytest

from aister.core.errors import SettingsError
from aister.core.trade import Purpose
from aister.execution.identity import client_id, instance_id, instance_of, sequence_of, watch_id, watched


def test_an_id_says_whose_it_is_and_fits_the_venue() -> None:
    instance = instance_id(bytes(range(8)))
    made = client_id(instance, 2**40, 12)
    assert (instance_of(made), sequence_of(made)) == (instance, 2**40)
    assert len(client_id(instance, 2**48 - 1, 2**40 - 1)) <= 36
    assert sequence_of(client_id(instance, 5, 256 * 1_790_000_000 + 3)) == 5
    assert instance_id(bytes(8)) != instance


def test_orders_of_the_watcher_are_ours_and_of_no_record() -> None:
    for purpose in (Purpose.STOP, Purpose.CLOSE):
        made = watch_id("ai00000000", purpose, 1_790_000_000_000, 1)
        assert (instance_of(made), sequence_of(made), watched(made)) == ("ai00000000", None, purpose)
        assert len(made) <= 36
    assert watched(client_id("ai00000000", 5, 1)) is None and watched("web_1") is None


def test_foreign_ids_are_nobodys() -> None:
    for foreign in ("web_abc", "autoclose-1", "x-ABCDEF", "", "ai0000000-1-1", "ai00000000-1-1-1", "ai00000000-wx-1-1"):
        assert instance_of(foreign) is None and sequence_of(foreign) is None


def test_too_little_randomness_is_refused() -> None:
    with pytest.raises(SettingsError):
        instance_id(b"abcd")
