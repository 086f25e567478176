"""Does a text hold a key, in whatever dress? Used to prove that nothing does, after proving that it finds planted
ones."""

import base64
import hashlib
import json
from urllib.parse import quote

KEY = hashlib.sha256(b"a throwaway key, of no wallet").digest()
_SLICE = 12


def forms(key: bytes = KEY) -> dict[str, bytes]:
    """The key as it could be written somewhere."""
    plain = key.hex()
    latin = key.decode("latin-1")
    return {
        "raw": key,
        "hex": plain.encode(),
        "capitals": plain.upper().encode(),
        "base64": base64.b64encode(key),
        "base64 for addresses": base64.urlsafe_b64encode(key),
        "number": str(int.from_bytes(key, "big")).encode(),
        "python": repr(key)[2:-1].encode(),
        "json": json.dumps(latin)[1:-1].encode(),
        "utf-8": latin.encode(),
        "address": quote(key).encode(),
    }


def leaks(content: bytes | str, key: bytes = KEY) -> list[str]:
    """Which forms of the key, or any 12 characters of one, stand in there."""
    held = content.encode() if isinstance(content, str) else content
    return [
        name
        for name, form in forms(key).items()
        if any(form[at : at + _SLICE] in held for at in range(max(1, len(form) - _SLICE + 1)))
    ]
