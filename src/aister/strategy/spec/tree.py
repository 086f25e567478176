"""The rule tree: what a strategy spec says, as frozen values.

A node is a number or a condition at each *decision close*: a close of the spec's timeframe, on its boundary, of a bar
with no gap in it. Names of `let` are kept as `Use`; constants are resolved when the spec is read.
"""

from collections.abc import Iterator

import msgspec

from aister.features.timeframes import INTERVAL_MS

__all__ = [
    "Add",
    "Ago",
    "Call",
    "Feature",
    "Filter",
    "Management",
    "Node",
    "Number",
    "Order",
    "ScaleIn",
    "Side",
    "Sizing",
    "Spec",
    "Stop",
    "Target",
    "Use",
    "When",
    "children",
    "walk",
]


class Number(msgspec.Struct, frozen=True):
    """A finite constant."""

    value: float


class Use(msgspec.Struct, frozen=True):
    """What `let` calls by this name."""

    name: str


class Feature(msgspec.Struct, frozen=True):
    """A feature as it is known at the decision close; of a longer timeframe: at its last closed bar. `timeframe` is ""
    for a feature of no timeframe (`session.weekday`). `parameters`: (name, value), in the order of their kind."""

    name: str
    timeframe: str
    parameters: tuple[tuple[str, float], ...] = ()


class Ago(msgspec.Struct, frozen=True):
    """The value `bars` decision closes before. Unknown when fewer came before without a gap."""

    of: "Node"
    bars: int


class Call(msgspec.Struct, frozen=True):
    """An operator of `grammar.OPERATORS` on its parts."""

    operator: str
    parts: tuple["Node", ...]


class When(msgspec.Struct, frozen=True):
    """Whether the close lies in any of these spans: `what` is kill_zone, session, weekday or silver_bullet."""

    what: str
    names: tuple[str, ...]


Node = Number | Use | Feature | Ago | Call | When


class Order(msgspec.Struct, frozen=True):
    """How a side enters. limit None: at market; else a limit order at this price that rests for `life_bars` bars of the
    decision timeframe."""

    limit: Node | None = None
    life_bars: int = 0


class Stop(msgspec.Struct, frozen=True):
    """Where the idea is wrong. form "price": a price; "distance": that far from the entry; "percent": that share of the
    entry price (a `Number`)."""

    form: str
    value: Node


class Target(msgspec.Struct, frozen=True):
    """Where profit is taken. form "r": a multiple of the stop distance (a `Number`); "distance"; "price". share_e4:
    1e-4 of the position."""

    form: str
    value: Node
    share_e4: int


class Add(msgspec.Struct, frozen=True):
    """More of an open position of its side, at market, at a close at which `when` holds. stop: where the stop of the
    whole position then goes if that is nearer to profit (`Stop`, from that close); None: it stays."""

    when: Node
    stop: Stop | None = None


class Side(msgspec.Struct, frozen=True):
    """One direction: when to enter, how, where the stop and targets lie, when to leave before them, when to add."""

    entry: Node
    stop: Stop
    targets: tuple[Target, ...]
    exit: Node | None = None
    order: Order = Order()
    add: Add | None = None


class Filter(msgspec.Struct, frozen=True):
    """Entries only at closes inside one of each group that is not empty."""

    kill_zones: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    weekdays: tuple[str, ...] = ()


class Management(msgspec.Struct, frozen=True):
    """The stop goes to entry plus costs once `break_even_after` targets have filled (None: never), and from then on
    follows the best close at `trail_e4` of the first stop distance (0: it does not)."""

    break_even_after: int | None = None
    trail_e4: int = 0


class Sizing(msgspec.Struct, frozen=True):
    """risk_e8: equity lost at the stop; notional_e8: most notional, of equity; leverage: of the margin. Bounds of the
    risk profile hold besides; 0 leaves all to the profile."""

    risk_e8: int = 0
    notional_e8: int = 0
    leverage: int = 0


class ScaleIn(msgspec.Struct, frozen=True):
    """How much is added: `times` a position at most, each of `share_e4` of the risk of a trade; the first entry takes
    `first_e4` of the size it could have. Unless `beyond_risk`, all of the position loses no more at its stop than the
    risk of a trade. 1e-4 each; times 0: nothing is added."""

    times: int = 0
    share_e4: int = 10_000
    first_e4: int = 10_000
    beyond_risk: bool = False


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """A whole strategy. symbols empty: any. mirrored: the short side was given as "mirror" and `short` is what that
    makes of `long`. definitions: `let`, in its own order."""

    version: int
    name: str
    description: str
    timeframe: str
    symbols: tuple[str, ...]
    definitions: tuple[tuple[str, Node], ...]
    filter: Filter
    long: Side | None
    short: Side | None
    mirrored: bool
    management: Management
    horizon_ms: int
    sizing: Sizing
    scale_in: ScaleIn = ScaleIn()

    @property
    def interval_ms(self) -> int:
        return INTERVAL_MS[self.timeframe]

    @property
    def sides(self) -> tuple[tuple[int, str, Side], ...]:
        """(1 or -1, its word, its rules), long before short."""
        given = ((1, "long", self.long), (-1, "short", self.short))
        return tuple((sign, word, side) for sign, word, side in given if side is not None)


def children(node: Node) -> Iterator[tuple[str, Node]]:
    """The parts of a node, each with its place below it (a JSON pointer)."""
    if isinstance(node, Ago):
        yield "/of", node.of
    elif isinstance(node, Call):
        alone = len(node.parts) == 1
        for index, part in enumerate(node.parts):
            yield f"/{node.operator.replace('/', '~1')}{'' if alone else f'/{index}'}", part


def walk(node: Node, path: str) -> Iterator[tuple[str, Node]]:
    """The node and everything below it, each with its path in the spec. Names are not followed."""
    yield path, node
    for place, part in children(node):
        yield from walk(part, path + place)
