"""What a sweep varies: names and pointers, rows of values and ranges, conditions; nothing of it is run as code."""

import pytest

from aister.core.errors import UsageError
from aister.lab.draws import Search, draw
from aister.lab.space import axis, condition, grid, placed
from aister.strategy.spec.spec import read_spec
from tests.lab.sweeps import RULES, search


def test_a_name_of_let_is_its_number_or_the_one_parameter_of_its_feature() -> None:
    assert axis("stop_atr=1,2", RULES).pointer == "/let/stop_atr"
    assert axis("fast=5:7:1", RULES).pointer == "/let/fast/span"
    assert axis("/long/targets/0/r=1,2", RULES).pointer == "/long/targets/0/r"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("fast=10:30:10", (10, 20, 30)),
        ("stop_atr=0.1:0.4:0.1", (0.1, 0.2, 0.3, 0.4)),
        ("fast=9:4:-3", (6, 9)),
        ("stop_atr=2.0,1,1.5", (1, 1.5, 2)),
    ],
)
def test_rows_of_values_end_where_they_say(text: str, values: tuple[float, ...]) -> None:
    assert axis(text, RULES).values == values


def test_a_range_is_whole_when_both_of_its_ends_are_written_so() -> None:
    assert axis("fast=2..9", RULES).whole
    assert not axis("stop_atr=1.0..4.0", RULES).whole
    assert not axis("stop_atr=1.5..4.0", RULES).whole


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("fast", "names no values"),
        ("quick=1,2", "no number at /let/quick"),
        ("/long/entry=1,2", "is no number"),
        ("fast=1:9", "FIRST:LAST:STEP"),
        ("fast=9:1:1", "gives no values"),
        ("fast=1:1e9:0.001", "values; take a wider step"),
        ("fast=1:9:0", "the step not 0"),
        ("fast=4..4", "empty range"),
        ("fast=3,x", "'x' in"),
        ("fast=3,3", "twice"),
        ("fast=nan", "not a finite number"),
    ],
)
def test_what_is_no_axis_is_refused_with_the_remedy(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        axis(text, RULES)


def test_a_refusal_names_the_places_where_numbers_stand() -> None:
    with pytest.raises(UsageError, match="/let/fast/span, /let/slow/span, /let/span, /let/stop_atr"):
        axis("missing=1", RULES)


def test_values_go_where_they_belong_and_the_mirrored_side_follows() -> None:
    axes = search("fast=5,6", "span=7,9", "stop_atr=1.5,2.5").axes
    spec = read_spec(placed(RULES, axes, (5, 9, 2.5)))
    named = dict(spec.definitions)
    assert named["fast"].parameters == (("span", 5.0),)  # type: ignore[union-attr]
    assert named["atr"].parameters == (("span", 9.0),)  # type: ignore[union-attr]
    assert named["fast~mirrored"].parts[0].parameters == (("span", 5.0),)  # type: ignore[union-attr]
    assert RULES["let"]["fast"]["span"] == 8


def test_conditions_leave_cells_out_and_say_how_many() -> None:
    axes = search("fast=5,10,20", "slow=10,20").axes
    cells, left_out = grid(axes, [condition("2 * fast <= slow", axes)])
    assert cells == [(5, 10), (5, 20), (10, 20)]
    assert left_out == 3


@pytest.mark.parametrize(
    ("text", "cell", "holds"),
    [
        ("fast < slow", (5, 6), True),
        ("fast < slow", (6, 6), False),
        ("fast + 2 * slow - 3 >= 14", (5, 6), True),
        ("-1 * fast == 0.5 * slow - 8", (5, 6), True),
        ("fast != slow", (5, 5), False),
    ],
)
def test_a_condition_compares_sums(text: str, cell: tuple[int, int], holds: bool) -> None:
    assert condition(text, search("fast=5,6", "slow=5,6").axes).holds(cell) is holds


@pytest.mark.parametrize(
    "text",
    ["fast", "fast < slow < 9", "fast < quick", "fast fast < slow", "< slow", "__import__('os') < 1", "1.2.3 < fast"],
)
def test_what_is_no_comparison_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        condition(text, search("fast=5,6", "slow=5,6").axes)


def test_random_cells_come_again_from_their_seed_and_keep_to_range_and_conditions() -> None:
    axes = search("fast=2..30", "slow=20..60", "stop_atr=1.0..3.5").axes
    wanted = Search(method="random", axes=axes, conditions=(condition("fast < slow", axes),), count=200, seed=3)
    cells = draw(wanted).ask()
    assert cells == draw(wanted).ask()
    assert len(set(cells)) == 200
    assert all(2 <= f <= 30 and 20 <= s <= 60 and 1.0 <= x <= 3.5 and f < s for f, s, x in cells)
    assert cells != draw(Search(method="random", axes=axes, conditions=wanted.conditions, count=200, seed=4)).ask()


def test_a_small_space_gives_all_its_cells_and_no_more() -> None:
    assert len(draw(search("fast=2..4", method="random", count=50)).ask()) == 3


def test_tpe_goes_where_the_score_is_and_comes_again_from_its_seed() -> None:
    def run(seed: int) -> list[tuple[float | int, ...]]:
        found, seen = draw(search("stop_atr=0.0..10.0", method="tpe", count=60, seed=seed)), []
        while cells := found.ask():
            seen += cells
            found.tell(cells, [-abs(value - 7.0) for (value,) in cells])
        return seen

    cells = run(1)
    assert len(cells) == 60
    assert cells == run(1)
    assert sum(abs(value - 7.0) < 1.0 for (value,) in cells[30:]) > 15  # 6 of 30 by chance


def test_searches_that_hold_nothing_are_refused() -> None:
    axes = search("fast=5,6", "slow=5,6").axes
    for wrong in (
        Search(axes=()),
        Search(axes=(axes[0], axes[0])),
        Search(axes=axes, conditions=(condition("fast > 9", axes),)),
        Search(method="random", axes=axes, count=0),
        search("fast=2..9"),
    ):
        with pytest.raises(UsageError):
            draw(wrong)
