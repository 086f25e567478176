"""Everything `aister doctor` looks at: one line each, with its status and what to do about it."""

import os
import platform
import shutil
import sqlite3
import stat
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from aister.adapters.host.filesystem import Mount, mounts, place_of
from aister.adapters.host.locks import HOLDS, LIES, probe_locks

__all__ = ["Check", "examine"]

_MB = 1_000_000
_PACKAGES = ("msgspec", "numba", "numpy", "pyarrow", "rich", "typer", "tzdata")
_EXTRAS = (("torch", "learning: pip install 'aister[rl]'"), ("TA-Lib", "comparison tests: pip install 'aister[dev]'"))
_EARLIEST_S, _LATEST_S = 1_748_908_800, 4_102_444_800  # 2025-06-03, the end of the sample; 2100


class Check(msgspec.Struct, frozen=True):
    """`status` is ok, warn or bad; `remedy` is empty when there is nothing to do."""

    name: str
    status: str
    fact: str
    remedy: str = ""


def examine(home: Path) -> list[Check]:
    """Every check, in the order shown. A check that itself fails is a bad line, never a crash: hence
    each imports what it looks at."""
    place = _nearest(home)
    looks: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("python", python),
        ("packages", packages),
        ("extras", extras),
        ("sample data", sample),
        ("kernel cache", kernel_cache),
        ("home", lambda: state_folder(home)),
        ("file system", lambda: file_system(home, mounts(), lambda: probe_locks(place))),
        ("disk", lambda: disk(shutil.disk_usage(place).free, place)),
        ("clock", lambda: clock(time.time, time.monotonic)),
        ("processors", processors),
        ("memory", memory),
        ("sqlite", lambda: sqlite(place)),
        ("journal", lambda: journal(home)),
        ("keys", lambda: keys(home, time.time)),
    )
    return [_looked(name, look) for name, look in looks]


def _looked(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except Exception as error:
        return Check(
            name, "bad", f"could not be checked: {error}", "Report this line with the output of `aister --version`."
        )


def python() -> Check:
    said = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.platform == "win32":
        return Check("python", "bad", said, "Run AISTER inside WSL2, with AISTER_HOME on its own disk.")
    return Check("python", "ok", said)


def packages() -> Check:
    found = {name: _version(name) for name in _PACKAGES}
    said = f"aister {_version('aister')}, " + ", ".join(f"{name} {has or 'missing'}" for name, has in found.items())
    missing = [name for name, has in found.items() if not has]
    return (
        Check("packages", "bad", said, f"pip install {' '.join(missing)}") if missing else Check("packages", "ok", said)
    )


def extras() -> Check:
    found = [f"{name} {has}" if (has := _version(name)) else f"no {name} (optional, {what})" for name, what in _EXTRAS]
    return Check("extras", "ok", "; ".join(found))


def sample() -> Check:
    from aister.adapters.store.findings import check_series  # noqa: PLC0415
    from aister.adapters.store.sample import sample_store  # noqa: PLC0415

    remedy = "Install the package again: the data it ships are damaged or missing."
    try:
        store = sample_store()
        wrong = [
            found for one in store.manifest.series for found in check_series(store, one) if found.severity != "note"
        ]
    except Exception as error:
        return Check("sample data", "bad", str(error), remedy)
    symbols = sorted({one.symbol for one in store.manifest.series})
    if wrong or not symbols:
        return Check(
            "sample data", "bad", f"{len(wrong)} kinds of fault; first: {wrong[0].text if wrong else 'empty'}", remedy
        )
    return Check(
        "sample data",
        "ok",
        f"{', '.join(symbols)}: {sum(s.rows for s in store.manifest.series):,} rows, all checksums right",
    )


def kernel_cache() -> Check:
    try:
        from aister.kernels import CACHE  # noqa: PLC0415
        from aister.kernels.cache import user_cache_root  # noqa: PLC0415
    except RuntimeError as refused:
        return Check(
            "kernel cache", "bad", str(refused), "Do what the line says; until then nothing that computes will start."
        )
    size = sum(file.stat().st_size for file in CACHE.rglob("*") if file.is_file())
    said = f"{CACHE}, {size / _MB:.1f} MB"
    if not CACHE.is_relative_to(user_cache_root()):
        return Check(
            "kernel cache",
            "warn",
            f"{said}, for this process only",
            "Set AISTER_CACHE to a folder of your own that can be written.",
        )
    return Check("kernel cache", "ok", said if size else f"{said}: empty, the first run compiles")


def state_folder(home: Path) -> Check:
    place = _nearest(home)
    if os.statvfs(place).f_flag & os.ST_RDONLY:
        remedy = "Mount it writable, or set AISTER_HOME to a folder on a disk that can be written."
        return Check("home", "bad", f"{place} lies on a read-only mount", remedy)
    if not home.exists():
        if any(os.path.exists(one) for one in home.parents if one.is_relative_to(place) and one != place):
            return Check("home", "bad", f"{home} lies below a file", "Set AISTER_HOME to a folder.")
        if not os.access(place, os.W_OK | os.X_OK):
            return Check(
                "home",
                "bad",
                f"{home} cannot be made: {place} is not writable",
                "Set AISTER_HOME to a folder you can write.",
            )
        return Check("home", "ok", f"{home}, made at the first run")
    found = home.stat()
    if not stat.S_ISDIR(found.st_mode):
        return Check("home", "bad", f"{home} is not a folder", "Set AISTER_HOME to a folder.")
    if found.st_uid != os.getuid():
        return Check(
            "home", "bad", f"{home} belongs to user {found.st_uid}", "Set AISTER_HOME to a folder of your own."
        )
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        return Check("home", "bad", f"{home} is open to other users (mode {mode:04o})", f"chmod 700 {home}")
    if not os.access(home, os.W_OK | os.X_OK):
        return Check("home", "bad", f"{home} cannot be written (mode {mode:04o})", f"chmod 700 {home}")
    link = f" -> {home.resolve()}" if home.resolve() != home else ""
    return Check("home", "ok", f"{home}{link}, mode {mode:04o}")


def file_system(home: Path, table: list[Mount], probe: Callable[[], str]) -> Check:
    """The probe is asked only where the kind of file system is not known."""
    place = place_of(home, table)
    said = f"{place.path} on {place.kind}"
    elsewhere = "set AISTER_HOME to a folder on a local disk"
    if place.trust == "local":
        return Check("file system", "ok", said)
    if place.trust == "passing":
        return Check(
            "file system", "warn", f"{said}: {place.reason}", f"To keep the journal, {elsewhere} or a mounted volume."
        )
    if place.trust == "shared":
        return Check(
            "file system",
            "warn",
            f"{said}: {place.reason}; paper only, live is refused",
            f"To trade live, {elsewhere}.",
        )
    answer = probe()
    if answer == HOLDS:
        return Check("file system", "ok", f"{said}: unknown kind, but locks hold between two processes")
    what = "a second process got a lock that was held" if answer == LIES else "locks cannot be had"
    return Check("file system", "warn", f"{said}: {what}; paper only, live is refused", f"To trade live, {elsewhere}.")


def disk(free: int, place: Path) -> Check:
    said = f"{free / _MB:,.0f} MB free at {place}"
    if free < 100 * _MB:
        return Check("disk", "bad", said, "Free at least 100 MB: below that no new risk is taken.")
    return (
        Check("disk", "warn", said, "Free some space: below 100 MB no new risk is taken.")
        if free < 500 * _MB
        else Check("disk", "ok", said)
    )


def clock(wall: Callable[[], float], monotonic: Callable[[], float], over_s: float = 0.1) -> Check:
    """Wall clock against the monotonic one for a moment, and against the span of years this program can live in."""
    began, mono = wall(), monotonic()
    time.sleep(over_s)
    moved, passed = wall() - began, monotonic() - mono
    said = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(max(began, 0)))
    if not _EARLIEST_S <= began < _LATEST_S:
        return Check("clock", "bad", f"{said} cannot be", "Set the clock and switch time synchronisation (NTP) on.")
    if abs(moved - passed) > 0.05:
        return Check(
            "clock",
            "warn",
            f"{said}, but it jumped {moved - passed:+.3f} s just now",
            "Let one service, and only one, set the clock.",
        )
    return Check("clock", "ok", f"{said}, steady ({(moved - passed) * 1e3:+.1f} ms in {over_s:g} s)")


def processors() -> Check:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _number(Path("/sys/fs/cgroup/cpu.max"))
    period = 100_000
    granted = f", {quota / period:g} granted by the container" if quota is not None and quota / period < usable else ""
    return Check("processors", "ok", f"{usable} usable{granted}")


def memory() -> Check:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _number(Path("/sys/fs/cgroup/memory.max"))
    usable = min(total, limit) if limit is not None else total
    said = f"{usable / 1e9:.1f} GB" + (" (limit of the container)" if usable < total else "")
    return Check("memory", "warn", said, "Give it at least 1 GB.") if usable < 1e9 else Check("memory", "ok", said)


def sqlite(place: Path) -> Check:
    """Version, and a write-ahead log tried where the journal lies: written by one connection, read by another."""
    said = f"SQLite {sqlite3.sqlite_version}"
    try:
        with tempfile.TemporaryDirectory(prefix=".wal-probe-", dir=place) as folder:
            path = Path(folder) / "probe.sqlite"
            with closing(sqlite3.connect(path, isolation_level=None)) as one, closing(sqlite3.connect(path)) as other:
                mode = one.execute("PRAGMA journal_mode=WAL").fetchone()[0]
                one.execute("CREATE TABLE t (x)")
                one.execute("INSERT INTO t VALUES (1)")
                read = other.execute("SELECT x FROM t").fetchone()
    except (sqlite3.Error, OSError) as error:
        return Check(
            "sqlite",
            "bad",
            f"{said}: cannot write in {place} ({error})",
            "Set AISTER_HOME to a folder on a local disk.",
        )
    if mode != "wal" or read != (1,):
        return Check(
            "sqlite", "bad", f"{said}: no write-ahead log in {place}", "Set AISTER_HOME to a folder on a local disk."
        )
    if sqlite3.sqlite_version_info < (3, 35):
        return Check("sqlite", "warn", said, "Use a Python built with SQLite 3.35 or newer.")
    return Check("sqlite", "ok", f"{said}, write-ahead log works")


def journal(home: Path) -> Check:
    from aister.adapters.store.database import journal_path  # noqa: PLC0415
    from aister.adapters.store.records import AuditReader  # noqa: PLC0415
    from aister.adapters.store.verification import last_verification  # noqa: PLC0415
    from aister.core.errors import AisterError  # noqa: PLC0415

    if not journal_path(home).exists():
        return Check("journal", "ok", "none yet; the first run starts one")
    try:
        with AuditReader(home) as reader:
            found = reader.summaries()
    except AisterError as error:
        return Check("journal", "bad", str(error), "Run `aister journal verify`.")
    said = f"{len(found)} chains, {sum(one.records for one in found):,} records"
    last = last_verification(home)
    if last is None:
        return Check("journal", "ok", f"{said}, not verified yet", "Run `aister journal verify`.")
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(last.wall_ms / 1_000))
    if not last.intact:
        return Check(
            "journal",
            "bad",
            f"{said}; NOT INTACT when verified {when}",
            "Run `aister journal verify` and do what it says.",
        )
    return Check("journal", "ok", f"{said}; intact when verified {when}")


def keys(home: Path, wall: Callable[[], float]) -> Check:
    """The keys in files and in the environment: whether each may be used, and when it ends. No key is shown."""
    from aister.adapters.vault.expiry import expiry  # noqa: PLC0415
    from aister.adapters.vault.keyring import Keyring  # noqa: PLC0415
    from aister.core.errors import CredentialError  # noqa: PLC0415

    vault = Keyring(home)
    said: list[str] = []
    remedies: list[str] = []
    for name in vault.names():
        try:
            key = vault.credential(name)
        except CredentialError as error:
            return Check("keys", "bad", f"{name} cannot be used", str(error))
        told = expiry(name, key.expires_ms, int(wall() * 1_000))
        ends = time.strftime("%Y-%m-%d", time.gmtime(key.expires_ms / 1_000)) if key.expires_ms else "an unknown day"
        place = ", from the environment" if vault.given(name) else ""
        said.append(f"{name} ({key.scheme}, {key.net}{place}) until {ends}")
        remedies += [told.sentence] if told.sentence else []
    if not said:
        return Check("keys", "ok", "none: public data and the simulated venue need none; see docs/keys.md")
    return Check("keys", "warn" if remedies else "ok", "; ".join(said), " ".join(remedies))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _nearest(home: Path) -> Path:
    """The folder itself, or the nearest one above it that exists."""
    return next(folder for folder in (home, *home.parents) if folder.is_dir())


def _number(path: Path) -> int | None:
    """The first word of a kernel file as a number; None for "max" or where there is none."""
    try:
        return int(path.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
