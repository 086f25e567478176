"""`python -m tests.reference.campaign [SEEDS [FIRST]]`: many more streams through every fill model; says how many
orders and fills agreed, and shows the first difference of a model that differs."""

import sys

from tests.reference.models import CASES, run


def main(arguments: list[str]) -> int:
    seeds = int(arguments[0]) if arguments else 200
    first = int(arguments[1]) if len(arguments) > 1 else 1_000
    failed = 0
    for name in CASES:
        orders = fills = liquidations = 0
        for seed in range(first, first + seeds):
            try:
                both = run(name, seed)
            except AssertionError as difference:
                print(f"{name}, seed {seed}: {difference}")
                failed += 1
                break
            orders, fills = orders + both.sent, fills + both.fills
            liquidations += both.liquidations
        print(f"{name}: {orders:,} orders, {fills:,} fills, {liquidations:,} liquidations agreed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
