"""A sealed secret opens for its owner, purpose and origin, with its own key, and for nothing else."""

import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aister.adapters.vault.bond import Bond
from aister.adapters.vault.envelope import kek_of, opened, rewrapped, seal
from aister.adapters.vault.master import Kek, Master
from aister.core.errors import CredentialError

PLACE = Path("/keys/master")
OLD, NEW = Kek(bytes(range(7, 39))), Kek(bytes(range(100, 132)))
HELD = Master(PLACE, (OLD,), ours=True)
BOND = Bond("usr_1", "exchange key main", "https://one.example:443")
SECRET = b"canary-0123456789abcdefg"  # a length whose last character has bits to spare
SEALED = seal(HELD, SECRET, BOND)

few = settings(max_examples=60, deadline=None)


@few
@given(secret=st.binary(max_size=2_000), owner=st.text(), purpose=st.text(), origin=st.text())
def test_what_was_sealed_opens(secret: bytes, owner: str, purpose: str, origin: str) -> None:
    bond = Bond(owner, purpose, origin)
    assert opened(HELD, seal(HELD, secret, bond), bond) == secret


@few
@given(at=st.integers(0, len(SEALED) - 1), to=st.characters(min_codepoint=33, max_codepoint=126))
def test_a_changed_character_opens_nothing(at: int, to: str) -> None:
    changed = SEALED[:at] + to + SEALED[at + 1 :]
    if changed != SEALED:
        with pytest.raises(CredentialError):
            opened(HELD, changed, BOND)


def test_not_one_bit_of_it_may_change() -> None:
    for at in range(len(SEALED)):
        for bit in range(7):
            changed = SEALED[:at] + chr(ord(SEALED[at]) ^ 1 << bit) + SEALED[at + 1 :]
            with pytest.raises(CredentialError):
                opened(HELD, changed, BOND)


@few
@given(owner=st.text(), purpose=st.text(), origin=st.text())
def test_another_bond_opens_nothing(owner: str, purpose: str, origin: str) -> None:
    other = Bond(owner, purpose, origin)
    for bond in (
        other,
        Bond(owner, BOND.purpose, BOND.origin),
        Bond(BOND.owner, purpose, BOND.origin),
        Bond(BOND.owner, BOND.purpose, origin),
    ):
        if bond != BOND:
            with pytest.raises(CredentialError, match="name, account or host"):
                opened(HELD, SEALED, bond)


def test_the_parts_of_a_bond_do_not_run_into_each_other() -> None:
    text = seal(HELD, SECRET, Bond("ab", "c", "d"))
    for bond in (Bond("a", "bc", "d"), Bond("ab", "cd", ""), Bond("", "abc", "d"), Bond("c", "ab", "d")):
        with pytest.raises(CredentialError):
            opened(HELD, text, bond)


def test_parts_of_two_secrets_make_no_third() -> None:
    other = seal(HELD, SECRET, BOND).split(".")
    mine = SEALED.split(".")
    for swapped in ([*mine[:3], other[3], mine[4]], [*mine[:4], other[4]]):
        with pytest.raises(CredentialError):
            opened(HELD, ".".join(swapped), BOND)


@pytest.mark.parametrize("text", ["", "sealed.", SEALED[:-1], SEALED + "A", SEALED + "=", SEALED + "\n", " " + SEALED])
def test_no_other_spelling_opens(text: str) -> None:
    with pytest.raises(CredentialError):
        opened(HELD, text, BOND)
    assert kek_of(text) == "" or text in (SEALED[:-1], SEALED + "A")


def test_a_key_the_master_does_not_hold_is_named() -> None:
    with pytest.raises(CredentialError, match=rf"{OLD.id}, which {PLACE} does not hold; put it back"):
        opened(Master(PLACE, (NEW,), ours=True), SEALED, BOND)


def test_rotation_wraps_anew_and_leaves_the_box() -> None:
    both = Master(PLACE, (NEW, OLD), ours=True)
    turned = rewrapped(both, SEALED, BOND)
    assert (kek_of(SEALED), kek_of(turned)) == (OLD.id, NEW.id)
    assert turned.split(".")[4] == SEALED.split(".")[4] and turned.split(".")[3] != SEALED.split(".")[3]
    assert opened(Master(PLACE, (NEW,), ours=True), turned, BOND) == SECRET
    with pytest.raises(CredentialError):
        opened(HELD, turned, BOND)
    assert rewrapped(both, turned, BOND) == turned
    with pytest.raises(CredentialError, match="name, account or host"):
        rewrapped(both, SEALED, Bond("usr_2", BOND.purpose, BOND.origin))


def test_no_key_and_no_nonce_is_used_twice() -> None:
    texts = [seal(HELD, SECRET, BOND).split(".") for _ in range(50)]
    assert len({text[3][:16] for text in texts}) == len({text[4][:16] for text in texts}) == 50


def test_keys_are_not_shown_and_not_pickled() -> None:
    for one in (OLD, HELD):
        assert OLD.secret.hex() not in repr(one)
        with pytest.raises(TypeError):
            pickle.dumps(one)


def test_an_error_holds_no_key_where_a_traceback_with_locals_would_look() -> None:
    try:
        opened(HELD, SEALED, Bond("usr_2", BOND.purpose, BOND.origin))
    except CredentialError as error:
        held, at = [], error.__traceback__
        while at is not None:
            held += [
                repr(value) for name, value in at.tb_frame.f_locals.items() if at.tb_frame.f_code.co_name == "opened"
            ]
            at = at.tb_next
        assert error.__cause__ is None and error.__context__ is None
        assert held and not any(OLD.secret.hex() in one or repr(OLD.secret) in one or "canary" in one for one in held)
    else:
        raise AssertionError("it opened")
