"""What a person hears of a run on a real account, in sentences."""

from aister.cli.watch.telling import Telling
from aister.core.audit import Audit
from aister.core.events import EntriesFrozen, EntriesThawed, Event, MoneyBooked, OrderRejected, OrderUnknown
from tests.sim.market import instrument

AT = 1_746_403_200_000


def said(telling: Telling, event: Event) -> list[str]:
    return telling.hear(Audit(1, event, ()))


def test_each_cause_of_a_freeze_is_told_and_when_the_last_is_gone() -> None:
    telling = Telling({"BTCUSDT": instrument()})
    assert said(telling, EntriesFrozen(AT, "stream", "It is lost.")) == [
        "2025-05-05 00:00 entries are frozen (stream): It is lost."
    ]
    said(telling, EntriesFrozen(AT, "venue", "It does not answer."))
    assert telling.frozen == {"stream": "It is lost.", "venue": "It does not answer."}
    assert said(telling, EntriesThawed(AT, "stream")) == [
        "2025-05-05 00:00 no longer frozen by stream: frozen by venue"
    ]
    assert said(telling, EntriesThawed(AT, "venue")) == [
        "2025-05-05 00:00 no longer frozen by venue: entries may go on"
    ]


def test_orders_nobody_knows_of_and_orders_refused_are_told() -> None:
    telling = Telling({"BTCUSDT": instrument()})
    (unknown,) = said(telling, OrderUnknown(AT, "BTCUSDT", "a", "no answer"))
    (refused,) = said(telling, OrderRejected(AT, "BTCUSDT", "a", "-2019 The margin does not suffice."))
    assert "nobody knows yet whether an order is there: no answer" in unknown
    assert "an order was refused: -2019 The margin does not suffice." in refused


def test_money_that_the_exchange_booked_is_told_with_its_word_for_it() -> None:
    telling = Telling({})
    assert said(telling, MoneyBooked(AT, "", "TRANSFER", -12_500_000_000, True, AT)) == [
        "2025-05-05 00:00 125.00 USDT went out (TRANSFER): booked"
    ]
    (told,) = said(telling, MoneyBooked(AT, "BTCUSDT", "COMMISSION_REBATE", 3_000_000, False, AT))
    assert told.endswith("0.03 USDT came in (COMMISSION_REBATE): booked")
