"""What a batch run hands back: one row a trade, and on request one row a fill. Integers throughout."""

import numpy as np

LIQUIDATION, ENTRY, STOP, TARGET, CLOSE, TIME, EXIT = 0, 1, 2, 3, 4, 5, 6
"""Why something filled. CLOSE: its stop or a target was refused, or nothing protected it; TIME: held for its horizon;
EXIT: the strategy said so."""

REASONS = ("liquidation", "entry", "stop", "target", "close", "time", "exit")
"""The same in the words of the event engine."""

TRADE = np.dtype(
    [
        *(("symbol", "i8"), ("setup", "i8"), ("entry_ms", "i8"), ("exit_ms", "i8"), ("side", "i8"), ("steps", "i8")),
        *(("entry_cost", "i8"), ("exit_value", "i8"), ("entry_ticks", "i8"), ("exit_ticks", "i8")),
        *(("entry_fee", "i8"), ("fees", "i8"), ("funding", "i8"), ("slippage", "i8"), ("impact", "i8")),
        *(("pnl", "i8"), ("risk", "i8"), ("reason", "i8"), ("ambiguous", "i8"), ("target_first", "i8")),
    ],
    align=True,
)
"""One round trip, flat to flat.

symbol: index of the series; setup: row of SETUP it came from; entry_ms, exit_ms: of the first and the last fill (a fill
inside a bar is stamped its close - 1 ms); steps: entered over its life; entry_cost, exit_value: sums of ticks x steps x
unit of the fills that grew and that reduced it; entry_ticks, exit_ticks: of the first and the last fill; fees = all
fees, entry_fee the part paid by entries; funding: paid (positive) or received; pnl = side x (exit_value - entry_cost) -
fees - funding, net of everything; slippage: money given up between the market's price and the fills (inside the prices,
given for attribution), impact the part of it that is impact; risk: planned loss at the stop, money; reason: of the fill
that made it flat; ambiguous: bars that held a stop and a target of it alike; target_first: what pnl would have been had
the target come first in the first such bar, pnl itself where there was none."""

FILL = np.dtype(
    [
        *(("time_ms", "i8"), ("symbol", "i8"), ("trade", "i8"), ("side", "i8"), ("steps", "i8"), ("ticks", "i8")),
        *(("fee", "i8"), ("maker", "i8"), ("reason", "i8")),
    ],
    align=True,
)
"""One execution: trade = row of TRADE it belongs to (of the trade still open at the end: the next row); side: 1 buy,
-1 sell; reason: as above."""
