"""Closed features in, `Setup` out: which rule fired, on which values, with its own entry, stop and targets.

A strategy file of a user's own says `from aister.strategy import LONG, SHORT, Enter, Exit, PythonStrategy`.
"""

from aister.strategy.python.contract import LONG, SHORT, Account, Bar, Enter, Exit, PythonStrategy

__all__ = ["LONG", "SHORT", "Account", "Bar", "Enter", "Exit", "PythonStrategy"]
