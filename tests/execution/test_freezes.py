"""Freezes of an earlier life are lifted when the books were read; those of this one are not."""

from aister.core.events import EntriesThawed
from aister.execution.telling import Teller


def test_what_this_life_has_met_stays_frozen() -> None:
    teller = Teller(lambda: 0, lambda: None)
    for cause in ("courier", "watcher", "stop", "lease"):
        teller.frozen_before(cause, "an earlier life")
    teller.frozen_before("lease", "")  # and thawed again in it
    teller.freeze("courier", "an earlier life")  # the same fault once more, before the books were read
    teller.freeze("key", "ends")
    teller.thaw_recalled("courier", "watcher", "stop", "lease", "key")
    assert sorted(teller.frozen) == ["courier", "key"]
    told = teller.take()
    assert sorted(one.cause for one in told if isinstance(one, EntriesThawed)) == ["stop", "watcher"]


def test_a_cause_not_asked_about_stays() -> None:
    teller = Teller(lambda: 0, lambda: None)
    teller.frozen_before("money", "the wallet differs")
    teller.thaw_recalled("courier")
    assert teller.frozen == {"money": "the wallet differs"}
    teller.thaw_recalled("money")
    assert not teller.frozen
