"""Fills become positions, a double-entry ledger and a unitised net asset value."""

from aister.portfolio.holding import Closing, Holding
from aister.portfolio.ledger import Account, Entry, Ledger
from aister.portfolio.nav import Nav
from aister.portfolio.portfolio import Portfolio

__all__ = ["Account", "Closing", "Entry", "Holding", "Ledger", "Nav", "Portfolio"]
