"""Strategies written as a Python class: what the class may see and what it may answer."""
