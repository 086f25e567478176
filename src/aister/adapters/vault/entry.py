"""From what a user wrote to a `Credential`, or one sentence why not. No message ever repeats a key."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime

from aister.adapters.exchanges.aster.hosts import net
from aister.adapters.exchanges.aster.sign import address_of
from aister.adapters.vault.bond import SEALED, Bond
from aister.core.errors import CredentialError, SettingsError
from aister.ports.vault import Credential

__all__ = ["FIELDS", "bound_to", "credential_of", "name_of"]

FIELDS = ("scheme", "net", "account", "key", "origin", "expires")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_KEY = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")
_API_KEY = re.compile(r"[A-Za-z0-9_-]{8,128}")
_SECRET = re.compile(r"[!-~]{8,256}")
_LEAST_WORDS = 12
_DAY_MS = 86_400_000


def name_of(name: str) -> str:
    """The name itself. Raises `CredentialError` when it is no name of a key."""
    if not _NAME.fullmatch(name):
        raise CredentialError("A key's name is up to 32 of a-z, 0-9, - and _, and begins with a letter or a digit.")
    return name


def credential_of(name: str, written: Mapping[str, object], where: str) -> Credential:
    """`written`: the fields; `where`: what to call the place they stand in. Raises `CredentialError`."""
    strange = sorted(set(written) - set(FIELDS))
    if strange:
        raise CredentialError(f"{where} says more than {', '.join(FIELDS)}; remove the rest.")
    scheme = _text(written, "scheme", where, "v3")
    if scheme not in ("v3", "v1"):
        raise CredentialError(f"{where}: scheme is v3 (an agent) or v1 (an old API key with its secret).")
    net_name = _text(written, "net", where)
    if scheme == "v1" and net_name == "mainnet":
        raise CredentialError(f"{where}: an old API key (v1) is not traded with on mainnet; create an agent.")
    account = _text(written, "account", where)
    if _text(written, "key", where).startswith(SEALED):
        raise CredentialError(f"{where}: the key is sealed, which only a file's can be; give the key itself.")
    key = _agent_key(written, account, where) if scheme == "v3" else _secret(written, account, where)
    return Credential(name, scheme, account, net_name, _origin(written, where), _expiry(written, where), key)


def bound_to(name: str, written: Mapping[str, object], where: str) -> Bond:
    """What a key in a file is sealed to: its name, scheme and account, its net and the host it may be sent to (A5).
    Raises `CredentialError` as `credential_of`."""
    told = f"{_text(written, 'scheme', where, 'v3')} {_text(written, 'account', where)}"
    return Bond(
        "installation", f"exchange key {name} {told}", f"{_text(written, 'net', where)} {_origin(written, where)}"
    )


def _origin(written: Mapping[str, object], where: str) -> str:
    net_name, given = _text(written, "net", where), _text(written, "origin", where, "")
    stream = given.replace("http", "ws", 1) if net_name == "simulator" else ""
    try:
        return net(net_name, given, stream).rest
    except SettingsError as error:
        raise CredentialError(f"{where}: {error}") from None


def _text(written: Mapping[str, object], field: str, where: str, default: str | None = None) -> str:
    value = written.get(field, default)
    if not isinstance(value, str):
        raise CredentialError(f'{where}: {field} is missing or no text; write {field} = "...".')
    return value.strip()


def _agent_key(written: Mapping[str, object], account: str, where: str) -> bytes:
    key = _text(written, "key", where)
    if len(key.split()) >= _LEAST_WORDS:
        raise CredentialError(
            f"{where}: the key is a list of words, which opens your whole wallet; create an agent, give its private "
            "key, and move your funds to a new wallet if anybody else could read this."
        )
    found = _KEY.fullmatch(key)
    if found is None:
        raise CredentialError(f"{where}: an agent's private key has 64 hexadecimal digits; copy it once more.")
    if not _ADDRESS.fullmatch(account):
        raise CredentialError(f"{where}: account is the address of your main wallet, 0x and 40 hexadecimal digits.")
    secret = bytes.fromhex(found[1])
    if address_of(secret).lower() == account.lower():
        raise CredentialError(
            f"{where}: this is your main wallet key; create an agent and give its key instead. Treat the wallet as "
            "exposed if this key was ever sent unencrypted."
        )
    return secret


def _secret(written: Mapping[str, object], account: str, where: str) -> bytes:
    secret = _text(written, "key", where)
    if not _API_KEY.fullmatch(account):
        raise CredentialError(f"{where}: account is the API key, letters and digits; copy it once more.")
    if not _SECRET.fullmatch(secret):
        raise CredentialError(f"{where}: the secret holds spaces or is too short; copy it once more.")
    return secret.encode("ascii")


def _expiry(written: Mapping[str, object], where: str) -> int:
    """End of the agent, ms UTC; a date without a time ends when it begins. 0 when not given."""
    value = written.get("expires")
    if value is None or value == "":
        return 0
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise CredentialError(f"{where}: expires is a date such as 2027-03-31; correct it.") from None
    if isinstance(value, datetime):
        return int(value.replace(tzinfo=value.tzinfo or UTC).timestamp() * 1_000)
    if isinstance(value, date):
        return (value.toordinal() - date(1970, 1, 1).toordinal()) * _DAY_MS
    raise CredentialError(f"{where}: expires is a date such as 2027-03-31; correct it.")
