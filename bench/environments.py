"""An environment of its own for every peer, under build/peers: `python -m bench.environments [NAME ...]`.

Peers pin libraries that fight each other, and some are under copyleft or a Commons Clause: they are run, in processes
and environments of their own, and nothing of theirs is imported or copied. Versions are pinned to those measured.
"""

import subprocess
import sys
from pathlib import Path

from make.install import UV, uv_settings

__all__ = ["PEERS", "ROOT", "build", "missing", "python_of"]

ROOT = Path(__file__).resolve().parent.parent
PEERS: dict[str, tuple[str, ...]] = {
    "vectorbt": ("vectorbt==1.2.0", "vectorbt-rust==1.2.0", "numba==0.68.1", "numpy==2.4.6", "pandas==3.1.1"),
    "backtesting": ("backtesting==0.6.6", "numpy==2.4.6", "pandas==3.1.1"),
    "nautilus": ("nautilus_trader==1.221.0", "numpy==2.4.6", "pandas==2.3.3"),
    "hftbacktest": ("hftbacktest==2.4.2", "numba==0.68.1", "numpy==2.4.6"),
}


def python_of(peer: str) -> Path:
    """The interpreter of a peer's environment."""
    return ROOT / "build" / "peers" / peer / "bin" / "python"


def missing(peer: str) -> str:
    """Why a peer cannot run here; empty when it can."""
    if not (ROOT / "build" / "peers" / peer / ".complete").exists():
        return f"{peer} is not installed; `python -m bench.environments {peer}` would build its environment"
    return ""


def build(peer: str) -> str:
    """Build one environment unless it is there; answers why that failed, in one line, or an empty string."""
    home = ROOT / "build" / "peers" / peer
    stamp = home / ".complete"
    wanted = "\n".join(PEERS[peer])
    if stamp.exists() and stamp.read_text() == wanted:
        return ""
    uv = str(UV) if UV.exists() else "uv"
    settings = uv_settings()
    for command in (
        [uv, "venv", "-q", "--clear", "--python", sys.executable, str(home)],
        [uv, "pip", "install", "-q", "--python", str(python_of(peer)), *PEERS[peer]],
    ):
        try:
            ran = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
        except OSError as problem:
            return f"{peer}: {problem}"
        if ran.returncode:
            said = [line.strip() for line in ran.stderr.splitlines() if line.strip()] or ["no reason given"]
            return f"{peer}: {said[-1]}"
    stamp.write_text(wanted)
    return ""


def main() -> int:
    failed = [problem for peer in (sys.argv[1:] or PEERS) if (problem := build(peer))]
    print("\n".join(failed) or "all peers are in build/peers")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
