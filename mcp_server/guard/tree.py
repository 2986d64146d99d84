"""Rules on the kinds of node in a parsed statement: what it is, what it is made of, what it calls."""

import difflib
from collections import defaultdict

from sqlglot import exp

from mcp_server.errors import Code, Refusal
from mcp_server.grammar import GRAMMAR
from mcp_server.guard.functions import NAMES
from mcp_server.guard.nodes import ADVICE, NAMED_FUNCTIONS, NODES, ROOTS
from mcp_server.guard.statement import Statement

MAX_NODES = 3_000

_ONLY_READS = "send one SELECT (WITH … SELECT and set operations are fine)"


def reading(root: exp.Expr) -> exp.Query:
    """The statement if it is a SELECT or a set operation of SELECTs. Raises Refusal for any other."""
    if not isinstance(root, ROOTS):
        kind = root.key.upper() if not isinstance(root, exp.Command) else str(root.this).upper()
        raise Refusal("statement", Code.READ_ONLY, "only reading is possible", part=kind, hint=_ONLY_READS)
    return root


def listed(root: exp.Query) -> Statement:
    """The statement with its nodes. Raises Refusal for trees of more than 3,000."""
    nodes: list[exp.Expr] = [root]
    kinds: defaultdict[type[exp.Expr], list[exp.Expr]] = defaultdict(list)
    # The list grows while it is walked: breadth first, as root.bfs() goes, in half the time.
    for node in nodes:
        kinds[type(node)].append(node)
        for part in node.args.values():
            if isinstance(part, exp.Expr):
                nodes.append(part)
            elif isinstance(part, list):
                nodes.extend(one for one in part if isinstance(one, exp.Expr))
        if len(nodes) > MAX_NODES:
            reason = f"the statement has more than {MAX_NODES} parts"
            raise Refusal("size", Code.BAD_ARGUMENT, reason, hint="filter with a join or a range, not a long list")
    return Statement(root, nodes, dict(kinds))


def refuse_unlisted_nodes(statement: Statement) -> None:
    """Refuse node classes and functions that are not on the lists."""
    unlisted = statement.kinds.keys() - NODES - NAMED_FUNCTIONS
    if unlisted:
        raise _unlisted(next(node for node in statement.nodes if type(node) in unlisted))
    for call in statement.of(*NAMED_FUNCTIONS):
        _require_listed_name(call.name)


def refuse_odd_selects(statement: Statement) -> None:
    """Refuse a SELECT of nothing, and what one can carry outside its clauses: modifiers, row formats, recursion."""
    for select in statement.of(exp.Select):
        if not select.expressions:
            raise Refusal("columns", Code.SYNTAX, "a SELECT names no columns", hint="write SELECT … FROM …")
        if select.args.get("operation_modifiers") or select.args.get("kind"):
            raise Refusal("modifiers", Code.READ_ONLY, "SELECT modifiers are not allowed", hint="use plain SELECT")
    for distinct in statement.of(exp.Distinct):
        if distinct.args.get("on"):
            hint = "write QUALIFY ROW_NUMBER() OVER (PARTITION BY … ORDER BY …) = 1"
            raise Refusal("distinct", Code.SYNTAX, "DISTINCT ON is not StarRocks", hint=hint)
    for clause in statement.of(exp.With):
        if clause.args.get("recursive"):
            raise Refusal("recursion", Code.READ_ONLY, "recursive queries are not allowed", hint="use a plain WITH")


def refuse_named_fields(statement: Statement) -> None:
    """Refuse `name: value` outside `MAP{…}`: the parser takes typed maps for structures, which would be run instead."""
    for field in statement.of(exp.PropertyEQ):
        holder = field.parent.parent if field.parent is not None else None
        if not isinstance(holder, exp.ToMap):
            hint = "write MAP{'key': value}, MAP('key', value) or NAMED_STRUCT('name', value)"
            raise Refusal("map", Code.SYNTAX, "this form of a map or structure is not allowed", hint=hint)


def refuse_ambiguous_separator(statement: Statement) -> None:
    """Refuse `group_concat(x, '|')`: servers disagree whether the last argument is a separator or a value."""
    for call in statement.of(exp.GroupConcat):
        parts = call.this.expressions if isinstance(call.this, exp.Concat) else []
        last = parts[-1] if parts else None
        if isinstance(last, exp.Literal) and last.is_string and not any(map(str.isalnum, last.name)):
            hint = f"write GROUP_CONCAT(x SEPARATOR '{last.name}')"
            raise Refusal(
                "group_concat", Code.BAD_ARGUMENT, "the separator is ambiguous", part=GRAMMAR.shown(call), hint=hint
            )


def _require_listed_name(name: str) -> None:
    if name.lower() in NAMES:
        return
    near = difflib.get_close_matches(name.lower(), NAMES, 3, 0.75)
    hint = "use another function or compute it from the rows"
    raise Refusal("function", Code.PERMISSION, "this function is not available", part=name, near=near, hint=hint)


def _unlisted(node: exp.Expr) -> Refusal:
    advice = next((text for kind, text in ADVICE.items() if isinstance(node, kind)), "")
    if isinstance(node, exp.Func) and not advice:
        hint = "use another function or compute it from the rows"
        return Refusal("function", Code.PERMISSION, "this function is not available", part=node.sql_name(), hint=hint)
    hint = advice or _ONLY_READS
    return Refusal("node", Code.READ_ONLY, "this form is not allowed", part=node.key.upper(), hint=hint)
