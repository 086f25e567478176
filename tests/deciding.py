"""The code that decides on recorded data: what figures about decisions are measured on. The venue side of the order
path and the abilities of a live account play no part in it, so that work on them makes no such figure old."""

ROOMS = ("core", "kernels", "features", "strategy", "risk", "portfolio", "sim", "engine")
FILES = {
    "execution": ("bracket", "gateway", "orders", "plan", "traits"),
    "ports": ("clock", "feed", "floor", "journal", "market", "minds", "signals", "venue"),
}
"""Of these rooms just what a run on recorded data imports (`tests.test_deciding`)."""


def deciding(*more: str) -> list[str]:
    """Paths of the code that decides; `more` rooms or files below `aister`, such as "council" or "app/build.py"."""
    files = [f"{room}/{name}.py" for room, names in FILES.items() for name in names]
    return [f"src/aister/{path}" for path in (*ROOMS, *files, *more)]


__all__ = ["FILES", "ROOMS", "deciding"]
