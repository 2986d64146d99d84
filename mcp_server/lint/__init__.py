"""Questions that run and mislead: what a statement probably does not mean, told together with its rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlglot import exp

from mcp_server.grammar import GRAMMAR
from mcp_server.lint.aggregates import RawAggregate, raw_aggregates
from mcp_server.lint.rules import RULES
from mcp_server.lint.scope import scopes_in

_MOST_CAVEATS = 5


@dataclass(frozen=True, slots=True)
class Remarks:
    """What a statement tells: its order as text, its caveats, and aggregates that are wrong for some metrics."""

    order: str = ""
    caveats: tuple[str, ...] = ()
    aggregates: tuple[RawAggregate, ...] = ()

    def all_caveats(self, kinds: Mapping[str, str]) -> tuple[str, ...]:
        """The caveats, also those that depend on what the metrics are. `kinds`: metric name → gauge, counter, …"""
        found = (one.caveat(kinds.get(one.metric, "")) for one in self.aggregates)
        return tuple(dict.fromkeys(filter(None, (*self.caveats, *found))))[:_MOST_CAVEATS]


NO_REMARKS = Remarks()


def examined(root: exp.Query, nodes: Iterable[exp.Expr] | None = None) -> Remarks:
    """The remarks on a statement; it is not changed. `nodes`: all that it consists of, parents first, if known."""
    scopes = scopes_in(root.bfs() if nodes is None else nodes)
    caveats = [caveat for rule in RULES for caveat in rule(scopes)]
    aggregates = tuple(one for scope in scopes for one in raw_aggregates(scope))
    return Remarks(_order(root), tuple(dict.fromkeys(caveats)), aggregates)


def _order(root: exp.Query) -> str:
    clause = root.args.get("order")
    parts = clause.expressions if clause is not None else []
    return ", ".join(f"{GRAMMAR.shown(part.this)}{' DESC' if part.args.get('desc') else ''}" for part in parts)
