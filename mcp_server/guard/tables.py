"""Rules on tables: only the fleet's own, named with their database, or names that the statement itself defines."""

import difflib
from collections.abc import Collection

from sqlglot import exp

from mcp_server.errors import Code, Refusal
from mcp_server.grammar import GRAMMAR
from mcp_server.guard.statement import Statement
from mcp_server.principal import EVERYTHING, Scope

_CATALOG = "default_catalog"


def admitted_tables(statement: Statement, allowed: Collection[str], scope: Scope = EVERYTHING) -> tuple[str, ...]:
    """The qualified names of the tables read, sorted; `default_catalog.` is removed from the tree.

    Raises Refusal for a table outside `allowed` or `scope`, an external catalogue and a name that is no CTE where it
    stands.
    """
    found = set()
    for table in statement.of(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            raise Refusal(
                "table_function", Code.READ_ONLY, "table functions are not allowed", part=GRAMMAR.shown(table)
            )
        if table.db or not _is_defined(table):
            found.add(open_table(_qualified(table), allowed, scope))
    return tuple(sorted(found))


def open_table(name: str, allowed: Collection[str], scope: Scope) -> str:
    """The name itself when it may be read in the scope. Raises Refusal otherwise; of tables outside a scope it tells
    no more than that they are closed."""
    if name not in allowed:
        raise _unknown(name, [known for known in allowed if is_open(known, scope)])
    if not is_open(name, scope):
        hint = "read another table, or ask in a channel with a wider scope"
        raise Refusal("scope", Code.PERMISSION, "this table is closed in this channel", part=name, hint=hint)
    return name


def is_open(name: str, scope: Scope) -> bool:
    """Whether the scope lets a table be read."""
    database = name.partition(".")[0]
    return (scope.databases is None or database in scope.databases) and (scope.tables is None or name in scope.tables)


def _qualified(table: exp.Table) -> str:
    if table.catalog and table.catalog != _CATALOG:
        hint = "read the tables of this warehouse as database.table"
        raise Refusal("catalog", Code.PERMISSION, "external catalogues are closed", part=table.catalog, hint=hint)
    table.set("catalog", None)
    return f"{table.db}.{table.name}" if table.db else table.name


def _unknown(name: str, allowed: Collection[str]) -> Refusal:
    database, _, table = name.rpartition(".")
    databases = sorted({known.partition(".")[0] for known in allowed})
    if database and database not in databases:
        hint = f"the databases are {', '.join(databases)}"
        return Refusal("table", Code.PERMISSION, "this database is closed", part=name, hint=hint)
    same = [known for known in allowed if known.partition(".")[2].lower() == table.lower()]
    near = sorted(same) or difflib.get_close_matches(name, allowed, 3, 0.5)
    hint = "write database.table" if not database else "look at discover_schema"
    return Refusal("table", Code.UNKNOWN_TABLE, "there is no such table", part=name, near=near, hint=hint)


def _is_defined(table: exp.Table) -> bool:
    """Whether a WITH clause in whose scope the table stands defines its name before it."""
    child: exp.Expr = table
    parent = table.parent
    while parent is not None:
        clause = child if isinstance(child, exp.With) else parent.args.get("with_")
        if isinstance(clause, exp.With) and table.name in _names_before(clause, table):
            return True
        child, parent = parent, parent.parent
    return False


def _names_before(clause: exp.With, table: exp.Table) -> set[str]:
    """The names a WITH clause offers to the table: those defined before the CTE in which it stands, or all."""
    names = set()
    own = next((cte for cte in clause.expressions if _holds(cte, table)), None)
    for cte in clause.expressions:
        if cte is own:
            break
        names.add(cte.alias)
    return names


def _holds(node: exp.Expr, inner: exp.Expr) -> bool:
    parent: exp.Expr | None = inner
    while parent is not None and parent is not node:
        parent = parent.parent
    return parent is node
