"""Keys given by the environment of a container."""

import pickle

import pytest

from aister.adapters.vault.environment import EnvironmentVault
from aister.core.errors import CredentialError
from tests.adapters.signer.given import AGENT, KEY, USER


def given(**changes: str) -> dict[str, str]:
    fields = {"NET": "testnet", "ACCOUNT": USER, "KEY": KEY.hex(), "EXPIRES": "2027-03-31"} | changes
    return {"PATH": "/bin", **{f"AISTER_KEY_MY_BOT_{field}": value for field, value in fields.items()}}


def test_a_key_is_taken_and_leaves_the_environment() -> None:
    environment = given()
    vault = EnvironmentVault(environment)
    assert environment == {"PATH": "/bin"} and vault.names() == ["my-bot"]
    got = vault.credential("my-bot")
    assert (got.name, got.key, got.net, got.expires_ms) == ("my-bot", KEY, "testnet", 1_806_451_200_000)
    assert vault.credential("my-bot") == got


def test_nothing_of_it_is_shown_or_pickled() -> None:
    vault = EnvironmentVault(given(ACCOUNT=AGENT))
    assert KEY.hex() not in repr(vault)
    with pytest.raises(TypeError):
        pickle.dumps(vault)
    with pytest.raises(CredentialError, match="main wallet key") as refused:
        vault.credential("my-bot")
    assert KEY.hex()[:12] not in str(refused.value) and "my-bot" in str(refused.value)


def test_a_missing_one_is_told_with_the_name_to_set() -> None:
    with pytest.raises(CredentialError, match="set AISTER_KEY_OTHER_KEY"):
        EnvironmentVault(given()).credential("other")
    with pytest.raises(CredentialError, match="name is up to 32"):
        EnvironmentVault({}).credential("../x")


def test_the_real_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in given().items():
        monkeypatch.setenv(name, value)
    assert EnvironmentVault().credential("my-bot").key == KEY
    assert EnvironmentVault().names() == []  # the first one took them
