"""Rules for what depends on the session: system variables and functions such as connection_id() become parameters."""

from __future__ import annotations

from sqlglot import exp

from sandbox.dialect.rule import Node, Rule
from sandbox.errors import StatementError

VARIABLE = "variable_"
"""Parameters of this prefix are system variables, those of FUNCTION are functions without arguments."""
FUNCTION = "function_"
_FUNCTIONS = frozenset({"connection_id", "current_version", "user", "schema", "database", "version", "current_user"})
_TYPED: dict[type[exp.Expr], str] = {
    exp.CurrentUser: "current_user",
    exp.CurrentSchema: "database",
    exp.CurrentDatabase: "database",
    exp.CurrentVersion: "version",
    exp.SessionUser: "current_user",
}


def system_variables(node: Node) -> Node:
    """`@@name`; user variables (`@name`) do not exist here."""
    if isinstance(node, exp.SessionParameter):
        return exp.Placeholder(this=VARIABLE + node.name.lower())
    if isinstance(node, exp.Parameter):
        raise StatementError(1235, "User variables are not supported by the sandbox", "42000")
    return node


def session_functions(node: Node) -> Node:
    """connection_id(), database(), version() and their like."""
    name = _TYPED.get(type(node))
    if name is None and isinstance(node, exp.Anonymous) and node.name.lower() in _FUNCTIONS:
        name = node.name.lower()
    return exp.Placeholder(this=FUNCTION + name) if name is not None else node


RULES: tuple[Rule, ...] = (system_variables, session_functions)
