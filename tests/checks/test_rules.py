"""Each house rule bites on a planted violation, names file and line, and leaves its honest neighbour alone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from checks import rules
from checks.tree import ROOT

Plant = Callable[[str, str], Path]
SLASH = "/"  # the planted paths must not be found in this file

BAD: list[tuple[rules.Rule, str, str, int, str]] = [
    (rules.kernels_import_only_numbers, "src/aister/kernels/p.py", "import numpy\nimport pandas\n", 2, "pandas"),
    (rules.kernels_import_only_numbers, "src/aister/kernels/p.py", "from ..core import money\n", 1, "aister.core"),
    (rules.kernels_import_only_numbers, "src/aister/kernels/p.py", "import os\n", 1, "os"),
    (rules.no_wall_clock, "src/aister/core/p.py", "import datetime\ndatetime.datetime.now()\n", 2, "now"),
    (rules.no_wall_clock, "src/aister/sim/p.py", "from datetime import datetime as D\nx = D.utcnow\n", 2, "utcnow"),
    (rules.no_wall_clock, "src/aister/engine/p.py", "from datetime import date\ndate.today()\n", 2, "today"),
    (rules.no_unseeded_chance, "src/aister/sim/p.py", "import numpy as np\nnp.random.normal()\n", 2, "normal"),
    (rules.no_unseeded_chance, "src/aister/sim/p.py", "import numpy as np\nnp.random.seed(1)\n", 2, "seed"),
    (rules.no_unseeded_chance, "src/aister/sim/p.py", "import numpy as np\nnp.random.default_rng()\n", 2, "seed"),
    (rules.no_unseeded_chance, "src/aister/sim/p.py", "import numpy as np\nnp.random.default_rng(None)\n", 2, "seed"),
    (rules.no_unseeded_chance, "src/aister/sim/p.py", "from numpy.random import default_rng\nf = default_rng\n", 2, ""),
    (rules.no_unseeded_chance, "src/aister/sim/p.py", "from numpy.random import PCG64\nPCG64()\n", 2, "PCG64"),
    (rules.only_risk_approves, "src/aister/engine/p.py", "a = Approved(1)\n", 1, "Approved"),
    (rules.only_risk_approves, "src/aister/execution/p.py", "a = permission.Approved()\n", 1, "Approved"),
    (rules.only_the_gateway_sends, "src/aister/engine/p.py", "self.venue.send(order)\n", 1, "gateway"),
    (rules.only_the_gateway_sends, "src/aister/app/p.py", "hand = sim_venue.send\n", 1, "gateway"),
    (rules.only_the_gateway_sends, "src/aister/app/p.py", "def f(v: 'Venue'):\n    v.send(1)\n", 2, "gateway"),
    (rules.nobody_asks_if_it_is_live, "src/aister/engine/p.py", "x = settings.is_live\n", 1, "is_live"),
    (rules.nobody_asks_if_it_is_live, "src/aister/engine/p.py", "if not backtest and y:\n    pass\n", 1, "backtest"),
    (rules.nobody_asks_if_it_is_live, "src/aister/cli/p.py", "if mode == 'paper':\n    pass\n", 1, "paper"),
    (rules.nobody_asks_if_it_is_live, "src/aister/cli/p.py", "x = 1 if mode is Mode.LIVE else 2\n", 1, "LIVE"),
    (rules.files_fit_in_the_head, "src/aister/core/p.py", "x = 1\n" * 501, 500, "501 lines"),
    (rules.no_machine_paths, "docs/p.md", f"a\nsee {SLASH}work{SLASH}main\n", 2, "machine"),
    (rules.no_machine_paths, "constraints.txt", f"--find-links file://{SLASH}opt{SLASH}wheels\n", 1, "machine"),
    (rules.no_machine_paths, "Makefile", f"pip install --{'index'}-url x\n", 1, "registry"),
    (rules.tests_can_fail, "tests/test_p.py", "def test_nothing():\n    x = 1\n", 1, "asserts nothing"),
    (rules.tests_can_fail, "tests/test_p.py", "class T:\n    def test_x(self):\n        assert True\n", 2, "test_x"),
    (rules.contracts_name_every_room, "src/aister/core/__init__.py", "", 1, "aister.core"),
    (rules.contracts_name_every_room, "src/aister/adapters/exchanges/__init__.py", "", 1, "exchanges"),
]

GOOD: list[tuple[rules.Rule, str, str]] = [
    (
        rules.kernels_import_only_numbers,
        "src/aister/kernels/p.py",
        "import math\nfrom . import x\n",
    ),
    (rules.kernels_import_only_numbers, "src/aister/kernels/cache.py", "import os\n"),
    (rules.no_wall_clock, "src/aister/core/p.py", "from datetime import datetime\ndatetime.fromtimestamp(0)\n"),
    (rules.no_wall_clock, "src/aister/adapters/p.py", "from datetime import datetime\ndatetime.now()\n"),
    (rules.no_unseeded_chance, "src/aister/sim/p.py", "import numpy as np\nnp.random.default_rng(seed).normal()\n"),
    (rules.no_unseeded_chance, "src/aister/sim/p.py", "import numpy as np\ndef f(r: np.random.Generator): ...\n"),
    (rules.only_risk_approves, "src/aister/risk/p.py", "a = Approved(1)\n"),
    (rules.only_risk_approves, "src/aister/engine/p.py", "def f(a: Approved): ...\n"),
    (rules.only_the_gateway_sends, "src/aister/execution/gateway.py", "self.venue.send(order)\n"),
    (rules.only_the_gateway_sends, "src/aister/app/p.py", "queue.send(event)\n"),
    (rules.nobody_asks_if_it_is_live, "src/aister/app/build.py", "if mode == 'live':\n    pass\n"),
    (rules.nobody_asks_if_it_is_live, "src/aister/cli/p.py", "def backtest(): ...\nx = 'live'\n"),
    (rules.files_fit_in_the_head, "src/aister/core/p.py", "x = 1\n" * 500),
    (rules.no_machine_paths, "docs/p.md", f"https://example.org{SLASH}work{SLASH}x and ~{SLASH}home{SLASH}x\n"),
    (rules.tests_can_fail, "tests/test_p.py", "def test_a():\n    with pytest.raises(ValueError):\n        f()\n"),
    (rules.tests_can_fail, "tests/test_p.py", "def test_a():\n    check_ledger(x)\n"),
]


@pytest.mark.parametrize(("rule", "name", "text", "line", "word"), BAD)
def test_a_violation_is_found(
    tmp_path: Path, plant: Plant, rule: rules.Rule, name: str, text: str, line: int, word: str
) -> None:
    plant(name, text)
    found = list(rule(tmp_path))
    where = ".importlinter" if rule is rules.contracts_name_every_room else name
    assert any(finding.startswith(f"{where}:{line}: ") and word in finding for finding in found), found


@pytest.mark.parametrize(("rule", "name", "text"), GOOD)
def test_the_honest_neighbour_is_left_alone(
    tmp_path: Path, plant: Plant, rule: rules.Rule, name: str, text: str
) -> None:
    plant(name, text)
    assert list(rule(tmp_path)) == []


def test_every_rule_has_a_violation_here() -> None:
    assert {rule for rule, *_ in BAD} == set(rules.RULES)
    assert all(rule.__doc__ for rule in rules.RULES), "a rule without a reason"


def test_the_tree_as_it_stands_keeps_every_rule() -> None:
    assert rules.findings(ROOT) == []
