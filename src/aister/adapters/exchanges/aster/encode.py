"""Parameters to the exact bytes that are signed and sent: what is signed is what travels, never a second encoding.

Keys stand in ASCII order, which satisfies both readings of the documents (aster-api 3.2): "sort by ASCII" and "the
signed string is the transmitted one".
"""

import re
from collections.abc import Iterable
from urllib.parse import quote

__all__ = ["form", "json_list"]

_PLAIN = re.compile(r"[A-Za-z0-9._-]*\Z")


def form(params: Iterable[tuple[str, str]]) -> bytes:
    """name=value joined by & in ASCII order of the names, percent-encoded (a space is %20, nothing is left bare that
    another encoder would escape)."""
    plain = _PLAIN.match
    return "&".join(
        [f"{name}={value if plain(value) else quote(value, safe='')}" for name, value in sorted(params)]
    ).encode("ascii")


def json_list(items: Iterable[str]) -> str:
    """A JSON list of client or venue ids without spaces, as batch cancels want it (aster-api 6)."""
    return "[" + ",".join(f'"{item}"' for item in items) + "]"
