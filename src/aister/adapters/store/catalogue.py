"""Which chains there must be: no number of a name left out, every abandoned run set aside, and their count sealed.

Numbers show a run removed from among others; that the newest was not removed is proven by the catalogue, a head file
(`heads.py`) whose records are the chains themselves:

    hash_0 = SHA-256("aister catalogue 1"),   hash_i = SHA-256(hash_(i-1) || seal of chain i, in the order of creation)

It is written after the row it counts, so a kill in between leaves it one behind; the next start makes that good. It is
never made anew or shortened beside chains it does not agree with: what was found stays found.
"""

import hashlib
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from aister.adapters.store.chain import Fault, follow
from aister.adapters.store.heads import Head, HeadFile, head_path, read_heads, start_heads
from aister.adapters.store.keys import JournalKey
from aister.adapters.store.rows import Chain, chains

__all__ = ["CATALOGUE", "catalogue_fault", "count_chains", "followed", "removed", "start_catalogue"]

CATALOGUE = ".chains"  # no chain's id begins with a point
_GENESIS = hashlib.sha256(b"aister catalogue 1").digest()


def start_catalogue(home: Path, key: JournalKey) -> None:
    """An empty catalogue for a journal without chains; one that is there stays."""
    path = head_path(home, CATALOGUE)
    if not path.exists():
        start_heads(path, key, CATALOGUE, "full", _GENESIS)


def count_chains(home: Path, connection: sqlite3.Connection, key: JournalKey) -> None:
    """Take committed chains into the catalogue, on the disk when this returns, if it agrees with those before them."""
    path = head_path(home, CATALOGUE)
    connection.execute("BEGIN IMMEDIATE")  # of two starts at once, the later writes the later count
    try:
        known = chains(connection)
        heads, whole = read_heads(path, key, CATALOGUE)
        if not heads or _fault(heads, whole, known) or heads[0].sequence == len(known):
            return
        catalogue = HeadFile(path, key, CATALOGUE, "full", heads[0].turn)
        try:
            catalogue.write(len(known), _hashes(known)[-1], len(known), durable=True)
        finally:
            catalogue.close()
    finally:
        connection.execute("ROLLBACK")


def catalogue_fault(home: Path, key: JournalKey, known: list[Chain]) -> Fault | None:
    """What the catalogue holds against these chains."""
    heads, whole = read_heads(head_path(home, CATALOGUE), key, CATALOGUE)
    return _fault(heads, whole, known) if known or heads or not whole else None


def _fault(heads: list[Head], whole: bool, known: list[Chain]) -> Fault | None:
    if not heads or not whole:
        lost = "is missing" if whole else "was changed"
        return _catalogue(f"heads/{CATALOGUE} {lost}, so nothing proves that no newer run ever was.")
    newest, there = heads[0], len(known)
    if newest.sequence > there:
        return _catalogue(
            f"heads/{CATALOGUE} counts {newest.sequence} runs and the journal has {there}: "
            "runs were removed or an older file put back."
        )
    hashes = _hashes(known)
    if any(hashes[head.sequence].hex() != head.head for head in heads):
        return _catalogue(
            f"heads/{CATALOGUE} knows another run or another order of runs: one was removed or exchanged."
        )
    return None


def _catalogue(message: str) -> Fault:
    return Fault("catalogue", None, message)


def _hashes(known: list[Chain]) -> list[bytes]:
    """The catalogue's hash after 0, 1, 2 ... chains."""
    seals: list[object] = [chain.seal for chain in known]  # SQLite keeps whatever type a tamperer stores
    return [_GENESIS, *follow(_GENESIS, [seal if isinstance(seal, bytes) else b"" for seal in seals])]


def removed(known: list[Chain], key: JournalKey, remembered: Iterable[str]) -> dict[str, Fault]:
    """Runs whose number is below that of a later one and which neither a row nor a head file (`remembered`) knows."""
    highest: dict[str, int] = {}
    for chain in known:
        if chain.genuine(key):
            highest[chain.stem] = max(chain.number, highest.get(chain.stem, 0))
    there = {chain.chain_id for chain in known} | set(remembered)
    names = [(stem, number) for stem, top in highest.items() for number in range(1, top)]
    return {
        f"{stem}{number}": Fault(
            "removed",
            None,
            f"run {number} of {highest[stem]} has no row and no head file heads/{stem}{number} any more: "
            "it was removed as a whole.",
        )
        for stem, number in names
        if f"{stem}{number}" not in there
    }


def followed(known: list[Chain], key: JournalKey) -> dict[str, Fault]:
    """Runs not set aside that a later run of the same owner, kind and identity followed, and what is wrong if they are
    unfinished: only `--fresh` starts anew beside an unfinished run, and it sets that aside."""
    newest: dict[tuple[str, str, str], Chain] = {}
    genuine = [chain for chain in known if chain.genuine(key)]
    for chain in sorted(genuine, key=lambda one: one.number):
        newest[chain.owner_id, chain.kind, chain.identity] = chain
    return {
        chain.chain_id: Fault(
            "aside",
            None,
            f"it is unfinished and {last.chain_id} came after it, but the row that set it aside was removed.",
        )
        for chain in genuine
        if (last := newest[chain.owner_id, chain.kind, chain.identity]) is not chain and not chain.aside
    }
