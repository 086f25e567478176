"""The platform's database as it is set up: where it lies, at which revision it stands, and bringing it to another."""

import asyncio
import os
from pathlib import Path

import msgspec
from sqlalchemy.engine import URL

from aister.adapters.store.platform.connect import database_url
from aister.adapters.store.platform.copying import keep_copy
from aister.adapters.store.platform.migrate import check_way, downgrade, newest, standing, upgrade
from aister.core.errors import SettingsError, UsageError

__all__ = ["DatabaseSettings", "Migrated", "Stands", "database_settings", "migrate", "stands"]


class DatabaseSettings(msgspec.Struct, frozen=True):
    """`application`: AISTER_DATABASE_URL, "" for platform.sqlite in the state folder. `owner`: PostgreSQL,
    AISTER_DATABASE_OWNER_URL, the same database as the role that owns its tables; "" where there is only one role."""

    application: str = ""
    owner: str = ""

    def __repr__(self) -> str:
        return "DatabaseSettings(...)"


class Stands(msgspec.Struct, frozen=True):
    """`revision` is "" for an empty database."""

    where: str
    revision: str
    newest: str


class Migrated(msgspec.Struct, frozen=True):
    """`copy`: where SQLite's file lies as it was before; "" when nothing was changed or there was nothing yet."""

    where: str
    before: str
    now: str
    copy: str


def database_settings() -> DatabaseSettings:
    """From the environment, which they leave: they may hold a password, and no child inherits it."""
    return DatabaseSettings(os.environ.pop("AISTER_DATABASE_URL", ""), os.environ.pop("AISTER_DATABASE_OWNER_URL", ""))


def stands(home: Path, settings: DatabaseSettings) -> Stands:
    """At which revision the database is; changes nothing. Raises `StorageError` when it cannot be asked."""
    url = database_url(home, settings.application)
    return Stands(_words(url), asyncio.run(standing(url)) or "", newest())


def migrate(home: Path, settings: DatabaseSettings, *, down: str = "", backed_up: bool = False) -> Migrated:
    """Bring the database to this version's schema, or `down` to an older revision, which loses what only newer ones
    keep. SQLite's file is copied before it changes; for PostgreSQL going down asks whether there is a backup.

    Raises `SettingsError` for addresses that do not fit, `UsageError` for a way that cannot be gone, `StorageError` for
    a database that cannot, or that a newer AISTER made.
    """
    url, role = _owner(home, settings)
    before = asyncio.run(standing(url)) or ""
    check_way(before or None, down)
    if down and url.get_backend_name() != "sqlite" and not backed_up:
        raise UsageError("Going down loses rows; make a backup with pg_dump first, then add --backed-up.")
    changes = before != (down or newest()) and not (down == "base" and not before)
    copy = str(keep_copy(_file(url), before)) if changes and before and url.get_backend_name() == "sqlite" else ""
    if down:
        asyncio.run(downgrade(url, down))
    else:
        asyncio.run(upgrade(url, role=role))
    return Migrated(_words(url), before, asyncio.run(standing(url)) or "", copy)


def _owner(home: Path, settings: DatabaseSettings) -> tuple[URL, str]:
    """Who changes the schema, and which role then gets what the application needs; "" where they are one."""
    application = database_url(home, settings.application)
    if not settings.owner:
        return application, ""
    owner = database_url(home, settings.owner)
    if application.get_backend_name() == "sqlite" or owner.get_backend_name() == "sqlite":
        raise SettingsError("AISTER_DATABASE_OWNER_URL is for PostgreSQL; leave it out.")
    if _place(application) != _place(owner):
        raise SettingsError("AISTER_DATABASE_OWNER_URL and AISTER_DATABASE_URL name two databases; name one.")
    if not application.username or application.username == owner.username:
        raise SettingsError("AISTER_DATABASE_URL needs a role of its own; give it another than the owner's.")
    return owner, application.username


def _place(url: URL) -> tuple[object, ...]:
    return url.host or url.query.get("host"), url.port or 5432, url.database


def _file(url: URL) -> Path:
    return Path(str(url.database))


def _words(url: URL) -> str:
    return str(_file(url)) if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
