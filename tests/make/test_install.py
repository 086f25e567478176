"""pip's settings reach uv in uv's words; the newcomer has nothing of ours."""

import os
import subprocess
from pathlib import Path

from checks.tree import ROOT
from make.fresh import newcomer, user_pip_conf
from make.install import pip_settings, uv_environment

LISTING = """\
:env:.find-links='{env}'
global.cert='/certificates.pem'
global.extra-index-url='https://one/simple\\nfile:///two/simple'
global.find-links='/nowhere'
install.no-index='false'
freeze.all='1'
not a setting
"""


def test_the_environment_outweighs_the_files() -> None:
    settings = pip_settings(LISTING.format(env="/a /b"))
    assert settings == {
        "find-links": "/a /b",
        "cert": "/certificates.pem",
        "extra-index-url": "https://one/simple\nfile:///two/simple",
        "no-index": "false",
    }


def test_nothing_configured_changes_nothing() -> None:
    assert uv_environment(pip_settings(""), {"PATH": "/bin"}) == {"PATH": "/bin"}


def test_folders_are_joined_by_commas_and_missing_ones_passed_over(tmp_path: Path) -> None:
    there = tmp_path / "wheels"
    there.mkdir()
    settings = {"find-links": f"{there} {tmp_path / 'gone'}\n  {there.as_uri()} https://wheels.example/x"}
    wanted = f"{there},{there.as_uri()},https://wheels.example/x"
    assert uv_environment(settings, {}) == {"UV_FIND_LINKS": wanted}


def test_indexes_are_weighed_as_pip_weighs_them() -> None:
    got = uv_environment({"index-url": "https://a/", "extra-index-url": "https://b/ https://c/", "no-index": "yes"}, {})
    assert got == {
        "UV_DEFAULT_INDEX": "https://a/",
        "UV_INDEX": "https://b/ https://c/",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_NO_INDEX": "1",
    }


def test_what_the_user_told_uv_wins(tmp_path: Path) -> None:
    said = {"UV_FIND_LINKS": "/mine", "SSL_CERT_FILE": "/mine.pem"}
    assert uv_environment({"find-links": str(tmp_path), "cert": "/theirs.pem"}, said) == said


def test_the_newcomer_has_an_empty_home_and_reaches_packages(tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    (ours / ".config/pip").mkdir(parents=True)
    (ours / ".config/pip/pip.conf").write_text("[global]\n")
    environment = newcomer(
        {"HOME": str(ours), "AISTER_CACHE": "x", "UV_CACHE_DIR": "x", "MAKEFLAGS": "j", "PIP_CERT": "c", "PATH": "p"},
        tmp_path / "new",
        user_pip_conf({}, ours),
    )
    assert environment["HOME"] == str(tmp_path / "new")
    assert environment["PIP_CERT"] == "c"
    assert environment["PIP_CONFIG_FILE"] == str(ours / ".config/pip/pip.conf")
    assert environment["UV_CACHE_DIR"].startswith(environment["HOME"])
    assert not {"AISTER_CACHE", "MAKEFLAGS"} & environment.keys()


def test_without_a_new_python_make_says_so_in_one_sentence(tmp_path: Path) -> None:
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "make").mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "make/install.py"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["make", "setup"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "AISTER needs Python 3.11 or newer" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_help_lists_every_target() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("run", "test", "check", "campaign", "lock", "fresh", "bench", "fmt", "clean", "help"):
        assert f"make {target} " in done.stdout
