"""`make campaign`: the measurements too long for `make test`.

They are ordinary tests marked `campaign`, beside the others, and publish through `checks.results.measuring`. This runs
them, one at a time so that timings mean something, and then says which results are now of this code. Arguments go to
pytest: `make campaign CAMPAIGN_ARGS="-k shuffle"`.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from checks.figures import fill
from checks.results import measured_other_code, read_result
from checks.tree import ROOT

NO_TESTS_CHOSEN = 5  # pytest's exit status


def main(arguments: list[str]) -> int:
    started = time.time()
    command = [sys.executable, "-m", "pytest", "-m", "campaign", "-p", "no:xdist", "--durations=0", *arguments]
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    for line in standing(ROOT, since=started):
        print(line)
    for document in fill(ROOT):
        print(f"{document}: figures brought up to date; read the sentences around them again")
    if code == NO_TESTS_CHOSEN:
        print("No campaign was chosen: nothing was measured.", file=sys.stderr)
    return code


def standing(root: Path, since: float) -> list[str]:
    """Each published result: measured just now, still of this code, or of other code."""
    lines = []
    for path in sorted((root / "docs" / "results").glob("*.json")):
        try:
            record = read_result(path.stem, root)
        except ValueError as broken:
            lines.append(str(broken))
            continue
        if measured_other_code(record, root):
            word = "measured OTHER CODE than this; not measured again in this run"
        else:
            word = "measured now" if path.stat().st_mtime >= since else "measured before, and of this code"
        lines.append(f"{path.relative_to(root).as_posix()}: {word}")
    return lines


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
