"""A secret at rest: AES-256-GCM with a key of its own, which is wrapped with the key-encryption key.

    box     = nonce || AES-256-GCM(data key, nonce, secret,   AAD = "aister secret"   + bond)
    wrapped = nonce || AES-256-GCM(KEK,      nonce, data key, AAD = "aister data key" + KEK id + bond)
    text    = sealed.1.<KEK id>.<wrapped>.<box>           (base64url without padding, in its one canonical form)

The bond is who owns the secret, what it is for and where it may be sent (A5): it is not in the text, and whoever opens
it says it. Another owner, purpose or origin, or one changed character, opens nothing. Rotation wraps the data key anew
and leaves the box. Nonces are 96 random bits: one use of a data key, and far below 2^32 uses of a KEK (NIST SP
800-38D, 8.3).
"""

import base64
import binascii
import re
import secrets
from collections.abc import Callable

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aister.adapters.vault.bond import SEALED, Bond
from aister.adapters.vault.master import Kek, Master
from aister.core.errors import CredentialError

__all__ = ["kek_of", "opened", "rewrapped", "seal"]

_FORM = re.compile(r"sealed\.1\.([0-9a-f]{16})\.([A-Za-z0-9_-]{80})\.([A-Za-z0-9_-]{38,90000})")
_KEY, _NONCE = 32, 12


def seal(master: Master, secret: bytes, bond: Bond, chance: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """The secret as text, wrapped with the current key. `chance`: n bytes nobody can guess."""
    data_key = chance(_KEY)
    return _text(master.current, data_key, _closed(data_key, secret, _box_aad(bond), chance), bond, chance)


def opened(master: Master, text: str, bond: Bond) -> bytes:
    """The secret. Raises `CredentialError`: no such text, a key the master does not hold, or another bond."""
    told = _told(master, text, bond)
    if isinstance(told, str):
        raise CredentialError(told)
    return told[1]


def rewrapped(master: Master, text: str, bond: Bond, chance: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """The same secret under the current key; the same text where it is that already. Raises as `opened`."""
    told = _told(master, text, bond)
    if isinstance(told, str):
        raise CredentialError(told)
    if kek_of(text) == master.current.id:
        return text
    return _text(master.current, told[0], _parts(text)[2], bond, chance)


def kek_of(text: str) -> str:
    """The id of the key it is wrapped with; "" when it is nothing sealed."""
    found = _FORM.fullmatch(text)
    return found[1] if found else ""


def _text(kek: Kek, data_key: bytes, box: bytes, bond: Bond, chance: Callable[[int], bytes]) -> str:
    wrapped = _closed(kek.secret, data_key, _wrap_aad(kek.id, bond), chance)
    return f"{SEALED}1.{kek.id}.{_encoded(wrapped)}.{_encoded(box)}"


def _told(master: Master, text: str, bond: Bond) -> tuple[bytes, bytes] | str:
    """Data key and secret, or why not: a sentence and not an error, whose traceback would hold keys."""
    try:
        id_, wrapped, box = _parts(text)
    except ValueError:
        return "What is sealed was changed or cut; put it back from a backup, or enter the key anew."
    kek = master.find(id_)
    if kek is None:
        return (
            f"This was sealed with the key-encryption key {id_}, which {master.place} does not hold; put it back as a "
            "further line there, or enter the key anew."
        )
    try:
        data_key = _open(kek.secret, wrapped, _wrap_aad(id_, bond))
        return data_key, _open(data_key, box, _box_aad(bond))
    except InvalidTag:
        return (
            "What is sealed was changed, or belongs to another name, account or host; put these back as they were when "
            "it was sealed, or enter the key anew."
        )


def _parts(text: str) -> tuple[str, bytes, bytes]:
    """Key id, wrapped data key, box. Raises `ValueError`."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError("not sealed")
    return found[1], _decoded(found[2]), _decoded(found[3])


def _closed(key: bytes, plain: bytes, aad: bytes, chance: Callable[[int], bytes]) -> bytes:
    nonce = chance(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, aad)


def _open(key: bytes, closed: bytes, aad: bytes) -> bytes:
    return AESGCM(key).decrypt(closed[:_NONCE], closed[_NONCE:], aad)


def _box_aad(bond: Bond) -> bytes:
    return msgspec.msgpack.encode(("aister secret", 1, bond.owner, bond.purpose, bond.origin))


def _wrap_aad(id_: str, bond: Bond) -> bytes:
    return msgspec.msgpack.encode(("aister data key", 1, id_, bond.owner, bond.purpose, bond.origin))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decoded(text: str) -> bytes:
    """Raises `ValueError` also for a second spelling of the same bytes."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
    if _encoded(data) != text:
        raise ValueError("not canonical")
    return data
