"""Equity, drawdown, and the result beside the benchmark on one scale."""

from collections.abc import Sequence

from aister.analytics.findings import Findings
from aister.analytics.report.charts import Plot, axes, drawn, line_path, nice_steps, thinned
from aister.analytics.report.words import percent, signed_percent
from aister.core.money import UNIT

__all__ = ["curves"]


def curves(findings: Findings) -> str:
    """The section with the three curves."""
    equity = findings.result.equity
    amounts = [amount / UNIT for amount in equity.amounts]
    capital = findings.result.capital / UNIT
    return (
        "<section><h2>Equity and drawdown</h2>"
        '<p class="note">A point per full hour and per fill; open positions at the newest close. Drawdown is '
        "watched at every bar. Dotted: the starting capital. Times UTC.</p>"
        f"{_equity(equity.times_ms, amounts, capital)}"
        "<h3>Drawdown from the highest point so far</h3>"
        f"{_drawdown(equity.times_ms, equity.drawdown)}"
        f"{_beside(findings, amounts, capital)}</section>"
    )


def _equity(times: Sequence[int], amounts: Sequence[float], capital: float) -> str:
    low, high = min(*amounts, capital), max(*amounts, capital)
    room = 0.06 * (high - low) or 1.0
    plot = Plot(times[0], times[-1], low - room, high + room, 260)
    labels = [
        (value, f"{value:,.0f}" if high - low > 10 else f"{value:,.2f}") for value in nice_steps(plot.low, plot.high)
    ]
    zero = f'<path class="grid zero" d="M8 {plot.y(capital):.1f}H{plot.right}"/>'
    body = f'{axes(plot, labels)}{zero}<path class="equity" d="{line_path(plot, thinned(times, amounts))}"/>'
    return drawn(plot, f"Equity in quote currency, from {amounts[0]:,.2f} to {amounts[-1]:,.2f}", body)


def _drawdown(times: Sequence[int], below: Sequence[float]) -> str:
    deepest = max(*below, 1e-4)
    plot = Plot(times[0], times[-1], -1.08 * deepest, 0.0, 130)
    labels = [(-value, percent(value, 2)) for value in nice_steps(0.0, deepest, 3)]
    path = line_path(plot, thinned(times, [-one for one in below]))
    closing = f"L{plot.x(times[-1]):.1f} {plot.y(0):.1f}H{plot.x(times[0]):.1f}Z"
    body = f'{axes(plot, labels)}<path class="under" d="{path}{closing}"/>'
    return drawn(plot, f"Drawdown, at most {percent(max(below), 2)}", body)


def _beside(findings: Findings, amounts: Sequence[float], capital: float) -> str:
    hold = findings.hold
    if hold is None:
        return ""
    times = findings.result.equity.times_ms
    own = [amount / capital - 1.0 for amount in amounts]
    held = [value / capital - 1.0 for value in hold.equity]
    low, high = min(*own, *held), max(*own, *held)
    room = 0.06 * (high - low) or 0.01
    plot = Plot(times[0], times[-1], low - room, high + room, 200)
    labels = [(value, signed_percent(value, 1)) for value in nice_steps(plot.low, plot.high, 4)]
    body = (
        f'{axes(plot, labels)}<path class="hold" d="{line_path(plot, thinned(hold.times_ms, held))}"/>'
        f'<path class="equity" d="{line_path(plot, thinned(times, own))}"/>'
    )
    key = (
        '<ul class="key"><li><span style="color:var(--accent)"><i></i></span>this run</li>'
        '<li><span style="color:var(--hold)"><i></i></span>buy and hold</li></ul>'
    )
    return f"<h3>On one scale with buy and hold</h3>{key}" + drawn(
        plot, "This run and buy and hold, in percent of capital", body
    )
