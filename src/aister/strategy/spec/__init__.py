"""Strategies as data: a JSON rule tree that is read and checked, hashed, and evaluated bar by bar or in columns."""
