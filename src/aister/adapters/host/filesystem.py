"""What kind of file system a folder lies on, and whether locks and durable writes can be trusted there (D3)."""

import re
import subprocess
import sys
from pathlib import Path

import msgspec

__all__ = ["Mount", "Place", "mount_of", "mounts", "mounts_of_linux", "mounts_of_mac", "place_of", "synced_by"]

_LASTING = frozenset(
    {
        "ext2",
        "ext3",
        "ext4",
        "xfs",
        "btrfs",
        "zfs",
        "f2fs",
        "bcachefs",
        "jfs",
        "reiserfs",
        "apfs",
        "hfs",
        "hfsplus",
        "ufs",
    }
)
_PASSING = {
    "tmpfs": "it is gone when the machine restarts",
    "ramfs": "it is gone when the machine restarts",
    "overlay": "inside a container it is gone with the container",
    "aufs": "inside a container it is gone with the container",
}
_SHARED = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb2",
        "smb3",
        "smbfs",
        "9p",
        "drvfs",
        "afpfs",
        "webdav",
        "davfs",
        "afs",
        "ceph",
        "glusterfs",
    }
    | {"lustre", "gfs2", "ocfs2", "beegfs", "ncpfs", "vboxsf", "vmhgfs", "prl_fs", "virtiofs", "sshfs"}
    | {f"fuse.{kind}" for kind in ("sshfs", "davfs2", "ceph", "glusterfs", "rclone", "s3fs", "gcsfuse", "vmhgfs-fuse")}
)
_SYNCED = (
    (re.compile(r"dropbox( \(.*\))?", re.I), "Dropbox"),
    (re.compile(r"onedrive( - .*|-.*)?", re.I), "OneDrive"),
    (re.compile(r"icloud ?drive|mobile documents|com~apple~clouddocs", re.I), "iCloud"),
    (re.compile(r"google ?drive|googledrive-.*|my drive", re.I), "Google Drive"),
    (re.compile(r"cloudstorage", re.I), "a cloud drive"),
    (re.compile(r"nextcloud|owncloud", re.I), "Nextcloud"),
)
_MARKERS = ((".stfolder", "Syncthing"), (".dropbox", "Dropbox"), (".sync", "Resilio Sync"))


class Mount(msgspec.Struct, frozen=True):
    """One mounted file system: where, of which kind, from what."""

    point: str
    kind: str
    source: str


class Place(msgspec.Struct, frozen=True):
    """Where a folder really lies. `trust`: "local" (locks and fsync mean something), "passing" (they do, but the
    content does not last), "shared" (network or sync folder: money is refused here) or "unknown" (ask a lock
    probe)."""

    path: str
    kind: str
    trust: str
    reason: str


def mounts_of_linux(table: str) -> list[Mount]:
    """Parses /proc/self/mountinfo; malformed lines are skipped."""
    found = []
    for line in table.splitlines():
        before, bar, after = line.partition(" - ")
        left, right = before.split(), after.split()
        if bar and len(left) > 4 and len(right) > 1:
            found.append(Mount(_octal(left[4]), right[0], _octal(right[1])))
    return found


def mounts_of_mac(table: str) -> list[Mount]:
    """Parses the output of `mount` on macOS and the BSDs: SOURCE on POINT (KIND, ...)."""
    found = re.findall(r"^(.+?) on (.+) \(([^,)]+)[^)]*\)$", table, re.M)
    return [Mount(point, kind, source) for source, point, kind in found]


def mounts() -> list[Mount]:
    """The mount table of this machine; empty where it cannot be read."""
    try:
        if sys.platform == "darwin":
            return mounts_of_mac(subprocess.run(["mount"], capture_output=True, text=True, check=False).stdout)
        return mounts_of_linux(Path("/proc/self/mountinfo").read_text(errors="surrogateescape"))
    except OSError:
        return []


def mount_of(path: Path, table: list[Mount]) -> Mount | None:
    """The mount that holds the path: the deepest mount point above it, of several at one point the last mounted."""
    held = [(len(Path(one.point).parts), number) for number, one in enumerate(table) if path.is_relative_to(one.point)]
    return table[max(held)[1]] if held else None


def place_of(path: Path, table: list[Mount]) -> Place:
    """Follows symbolic links, then asks the mount table and the folder names."""
    real = path.resolve()
    mount = mount_of(real, table)
    kind = mount.kind if mount else "unknown"
    name = "drvfs (9p)" if mount and kind == "9p" and "drvfs" in mount.source else kind
    if (service := synced_by(real)) or (service := synced_by(path)):
        return Place(str(real), name, "shared", f"{service} copies files while they are being written")
    if kind in _SHARED:
        return Place(
            str(real), name, "shared", "locks and durable writes cannot be trusted across a network or host share"
        )
    if kind in _LASTING:
        return Place(str(real), name, "local", "")
    if kind in _PASSING:
        return Place(str(real), name, "passing", _PASSING[kind])
    return Place(str(real), name, "unknown", "this kind of file system is not known here")


def synced_by(path: Path) -> str:
    """The sync service whose folder the path lies in, or "". By folder names and the marker files services leave."""
    for part in path.parts:
        for pattern, service in _SYNCED:
            if pattern.fullmatch(part):
                return service
    for folder in (path, *path.parents):
        for marker, service in _MARKERS:
            if (folder / marker).exists() and folder != Path.home():
                return service
    return ""


def _octal(text: str) -> str:
    """Spaces and the like are written as \\040 in the mount table."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
