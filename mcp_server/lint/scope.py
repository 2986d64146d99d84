"""A SELECT and what its names stand for, as far as the statement alone can tell."""

from collections.abc import Collection, Iterable, Iterator

from sqlglot import exp


class Scope:
    """A SELECT with the tables that stand directly in its FROM and joins."""

    def __init__(self, select: exp.Select) -> None:
        self.select = select
        clause = select.args.get("from_")
        joins = select.args.get("joins") or []
        self.sources = [source.this for source in ([clause] if clause else []) + joins]
        self.tables = {
            source.alias_or_name: f"{source.db}.{source.name}"
            for source in self.sources
            if isinstance(source, exp.Table) and source.db
        }
        self.kinds: dict[type[exp.Expr], list[exp.Expr]] = {}
        self.outer = {join.this.alias_or_name for join in joins if join.side in {"LEFT", "FULL"}}

    def reads(self, names: Collection[str]) -> bool:
        return any(table in names for table in self.tables.values())

    def owner(self, column: exp.Column) -> str:
        """The qualified table of a column, empty where that cannot be told."""
        if column.table:
            return self.tables.get(column.table, "")
        return next(iter(self.tables.values())) if len(self.sources) == len(self.tables) == 1 else ""

    def own(self, *kinds: type[exp.Expr]) -> Iterator[exp.Expr]:
        """The nodes of exactly these classes that stand in this SELECT and in none inside it."""
        return (node for kind in kinds for node in self.kinds.get(kind, ()))


def scopes_in(nodes: Iterable[exp.Expr]) -> list[Scope]:
    """A scope for every SELECT among the nodes of a tree, which come parents first; each node goes to its nearest."""
    scopes: list[Scope] = []
    nearest: dict[int, Scope | None] = {}
    for node in nodes:
        scope = nearest.get(id(node.parent))
        if isinstance(node, exp.Select):
            scope = Scope(node)
            scopes.append(scope)
        nearest[id(node)] = scope
        if scope is not None:
            scope.kinds.setdefault(type(node), []).append(node)
    return scopes
