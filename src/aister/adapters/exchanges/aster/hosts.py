"""The nets of AsterDex and the hosts a key may be used with: a built-in list, so that no setting can send a key away.

Source: aster-api 2 (base URLs and EIP-712 chain ids).
"""

from urllib.parse import urlsplit

import msgspec

from aister.core.errors import CredentialError, SettingsError
from aister.ports.vault import Credential

__all__ = ["MAINNET", "NETS", "TESTNET", "Net", "check_origin", "net", "origin"]

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Net(msgspec.Struct, frozen=True):
    """One AsterDex: `rest` and `stream` are origins (scheme://host[:port]), `chain_id` that of its signatures."""

    name: str
    rest: str
    stream: str
    chain_id: int


MAINNET = Net("mainnet", "https://fapi.asterdex.com", "wss://fstream.asterdex.com", 1666)
TESTNET = Net("testnet", "https://fapi.asterdex-testnet.com", "wss://fstream5.asterdex-testnet.com", 714)
NETS = {one.name: one for one in (MAINNET, TESTNET)}
"""Nets that are reached over the internet. A simulator's address is its user's: `net("simulator", rest, stream)`."""

_OTHER_HOSTS = {
    "mainnet": ("https://fapi3.asterdex.com",),
    "testnet": ("wss://fstream.asterdex-testnet.com",),
}
"""Hosts the documents name beside the usual ones; which is nearer or lets a data centre in must be tried."""


def origin(url: str) -> str:
    """scheme://host[:port] of a URL, in lower case, the scheme's own port left out. Raises `SettingsError`."""
    try:
        parts = urlsplit(url.strip())
        scheme, host, port = parts.scheme.lower(), parts.hostname or "", parts.port
    except ValueError:
        scheme, host, port = "", "", None
    if scheme not in _PORTS or not host or "@" in parts.netloc:
        raise SettingsError(f"{url!r} is no address of an exchange; write it as https://host or http://127.0.0.1:port.")
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}" if port in (None, _PORTS[scheme]) else f"{scheme}://{name}:{port}"


def net(name: str, rest: str = "", stream: str = "", chain_id: int = TESTNET.chain_id) -> Net:
    """A net by name. Other hosts are taken only from the documents' list, and for "simulator" only on this machine.

    Raises `SettingsError` naming what may be given instead.
    """
    if name == "simulator":
        given = Net(name, origin(rest), origin(stream), chain_id)
        for one in (given.rest, given.stream):
            if urlsplit(one).hostname not in _LOOPBACK:
                raise SettingsError(f"A simulator is reached on this machine only, not at {one}; use 127.0.0.1.")
        return given
    if name not in NETS:
        raise SettingsError(f"There is no net {name!r}; choose mainnet, testnet or simulator.")
    known, chosen = NETS[name], []
    for wanted, usual in ((rest, known.rest), (stream, known.stream)):
        here = origin(wanted) if wanted else usual
        if here != usual and here not in _OTHER_HOSTS[name]:
            raise SettingsError(f"{here} is no host of AsterDex's {name}; leave it out to use {usual}.")
        chosen.append(here)
    return Net(name, chosen[0], chosen[1], known.chain_id)


def check_origin(credential: Credential, where: Net) -> None:
    """A key belongs to a net and a host: raises `CredentialError` when it would be used anywhere else."""
    if credential.net != where.name or origin(credential.origin) != where.rest:
        raise CredentialError(
            f"The key {credential.name!r} is for {credential.net} at {credential.origin}, not for {where.name} at "
            f"{where.rest}; enter a key made for that host."
        )
