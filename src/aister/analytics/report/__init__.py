"""The report of a run as one HTML page that stands alone: no script, no remote loads, everything from data escaped."""

from aister.analytics.report.page import report

__all__ = ["report"]
