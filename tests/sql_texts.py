"""Every SQL text that Starwatch ships or builds for the warehouse, found in its files and by running its builders."""

import ast
import importlib
import inspect
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pymysql.converters import escape_item

import schema
from agent.investigation.scene import Measured, Peer, Scene
from agent.investigation.signs import load_causes
from agent.patrol import queries as patrol_queries
from agent.patrol.reference import Reference, load_reference
from agent.patrol.rules import load_rules
from agent.patrol.seasons import occasions
from agent.rules_only.measures import BY_KEY, Measure
from agent.rules_only.thresholds import from_rules
from bot.grants import Names, steps
from mcp_server import queries
from mcp_server.guard import Guard, metadata

ROOT = Path(__file__).parents[1]
_OPENING = re.compile(
    r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE|SHOW|SET|KILL|CREATE|ALTER|GRANT|ADMIN|ADD|EXPLAIN|DESC|USE|DROP|TRUNCATE)\s"
)
PROSE = frozenset({"SELECT modifiers are not allowed"})
"""Sentences that begin like a statement; those with … and patterns with (?P are known by that."""
_BUILDER_FOLDERS = ("agent/patrol/", "agent/rules_only/", "agent/investigation/")
_COLLECTED_OTHERWISE = frozenset({"bot/grants.py", "mcp_server/guard/metadata.py"})
HOSTILE = 'O\'Brien \\ 100% "x" -- ; /*'
AS_OF = datetime(2026, 11, 20, 8)
RULES = load_rules()
UUIDS = ("0f8fad5b-d9cb-469f-a165-70867728950e", "7c9e6679-7425-40de-944b-e07fc1f90ae7")
SCENE = Scene(
    "c",
    AS_OF,
    AS_OF,
    cluster_id=UUIDS[0],
    account_id="acc000001",
    version="3.4.7-ee",
    findings=(Measured("error_share_pct", "Critical", 5.0, "%", "errors", since=AS_OF - timedelta(hours=30)),),
    peers=(Peer(UUIDS[1], "p", account=True, version=True, alike=True),),
)
EXAMPLES: Mapping[str, Sequence[Any]] = {
    "as_of": [AS_OF],
    "since": [AS_OF],
    "until": [AS_OF],
    "hours": [6, 168],
    "days": [30],
    "silent_hours": [6],
    "limit": [40],
    "important": [True],
    "ascending": [False, True],
    "by_cluster": [False, True],
    "by_customer": [False, True],
    "cluster_ids": [UUIDS],
    "clusters": [UUIDS],
    "cluster_id": ["", UUIDS[0]],
    "grouping": ["version", "region", "cloud", "type", "tier", "customer"],
    "version": [HOSTILE],
    "name": [HOSTILE],
    "values": [("a", "b")],
    "rules": [RULES],
    "thresholds": [from_rules(RULES)],
    "occasions": [occasions(AS_OF)],
    "reach": [26],
    "scene": [SCENE],
    "signs": [load_causes().of("error_share_pct")],
}
"""Arguments of the builders, by the name of the parameter."""


@dataclass(frozen=True, slots=True)
class Text:
    """One statement, and where it comes from."""

    origin: str
    sql: str


def all_texts() -> tuple[Text, ...]:
    """Every statement that was found, in the order of its origins."""
    return tuple(itertools.chain(_shipped(), _written(), _rewritten(), _built()))


def distinct(texts: Iterable[Text]) -> tuple[Text, ...]:
    """Each shape of a statement once: those that differ in numbers and literals alone are one to a grammar."""
    shapes: dict[str, Text] = {}
    for text in texts:
        shapes.setdefault(re.sub(r"'[^'\\]*'|\b\d+(\.\d+)?\b", "0", " ".join(text.sql.split())), text)
    return tuple(shapes.values())


def _shipped() -> Iterator[Text]:
    """The .sql files, and what --print-grants prints."""
    for statement in schema.statements():
        yield Text(f"schema: {' '.join(statement.split('(')[0].split())}", statement)
    for name in queries.names():
        yield Text(f"mcp_server/queries/{name}.sql", _bound(queries.text(name)))
    for step in steps(Names()):
        yield Text("bot/grants.py", step.sql)


def _bound(template: str) -> str:
    """The query as the door binds it: numbers where only numbers can stand, hostile texts elsewhere."""

    def value(found: re.Match[str]) -> str:
        return f"{found[1]}3" if found[1] else str(escape_item(HOSTILE, "utf8mb4"))

    return re.sub(r"((?:INTERVAL|LIMIT|OFFSET)\s+)?%\(\w+\)s", value, template, flags=re.IGNORECASE).replace("%%", "%")


def sources() -> Iterator[Path]:
    """The Python files that may speak to the warehouse, relative to the root; what speaks to SQLite has its own SQL."""
    for package in ("bot", "handlers", "agent", "mcp_server"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if not re.search(
                r"^(import sqlite3|from (sqlalchemy|alembic))\b", path.read_text(encoding="utf-8"), re.MULTILINE
            ):
                yield path.relative_to(ROOT)


def statements_in(path: Path) -> tuple[str, ...]:
    """The texts in a file that open like a statement; what is filled in at run time stands as `x`."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for joined in (node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)):
        skipped |= {id(part) for part in ast.walk(joined) if part is not joined}
    texts = (_flat(node) for node in ast.walk(tree) if id(node) not in skipped)
    return tuple(text for text in texts if _OPENING.match(text) and not _is_prose(text))


def _flat(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_flat(part) for part in parts)
        case ast.FormattedValue():
            return "x"
    return ""


def _is_prose(text: str) -> bool:
    return text in PROSE or "…" in text or "(?P" in text


def _written() -> Iterator[Text]:
    """The statements that stand in the code of the process and of the door."""
    for path in sources():
        if not path.as_posix().startswith(_BUILDER_FOLDERS) and path.as_posix() not in _COLLECTED_OTHERWISE:
            for text in statements_in(path):
                counted = re.sub(r"(LIMIT|OFFSET|INTERVAL) \{\w*\}", r"\1 3", text)
                yield Text(path.as_posix(), re.sub(r"\{\w*\}", "x", counted).replace("%s", "'x'"))


def _rewritten() -> Iterator[Text]:
    """What the guard writes in the place of questions about tables."""
    guard = Guard(schema.TABLES)
    for form in metadata.FORMS.split(", "):
        asked = form.replace("db", "byoc", 1).replace("table", "clusters").replace("…", "biz_id FROM byoc.clusters")
        yield Text("mcp_server/guard/metadata.py", guard.admit(asked, 10).sql)


def _built() -> Iterator[Text]:
    """What the builders of the agent build: every public function of a file with SQL that returns statements."""
    for path in sources():
        if path.as_posix().startswith(_BUILDER_FOLDERS) and statements_in(path):
            module = importlib.import_module(".".join(path.with_suffix("").parts))
            for name, builder in builders(module).items():
                for sql in _calls(builder):
                    yield Text(f"{path.as_posix()}: {name}", sql)
            for name, value in vars(module).items():
                if isinstance(value, str) and _OPENING.match(value) and not name.startswith("_"):
                    yield Text(f"{path.as_posix()}: {name}", value)


def builders(module: Any) -> dict[str, Callable[..., Any]]:
    """The public functions of a module that return a statement or several."""
    functions = inspect.getmembers(module, inspect.isfunction)
    wanted = (str, tuple[str, ...])
    return {
        name: function
        for name, function in functions
        if not name.startswith("_")
        and function.__module__ == module.__name__
        and inspect.signature(function).return_annotation in wanted
    }


def _calls(builder: Callable[..., Any]) -> Iterator[str]:
    """Its results with each representative argument at least once, as far as they are whole statements."""
    parameters = inspect.signature(builder).parameters
    choices = [_examples(builder, parameter) for parameter in parameters.values()]
    for turn in range(max(map(len, choices), default=1)):
        values = [choice[turn % len(choice)] for choice in choices]
        named = dict(zip(parameters, values, strict=True))
        positional = [named[name] for name, entry in parameters.items() if entry.kind is not entry.KEYWORD_ONLY]
        keywords = {name: named[name] for name, entry in parameters.items() if entry.kind is entry.KEYWORD_ONLY}
        result = builder(*positional, **keywords)
        yield from (sql for sql in ([result] if isinstance(result, str) else result) if _OPENING.match(sql))


def _examples(builder: Callable[..., Any], parameter: inspect.Parameter) -> Sequence[Any]:
    name = parameter.name
    if name == "measure":
        return measures()
    if parameter.annotation is Reference:
        return [load_reference()]
    if name == "chosen":
        return [patrol_queries.counters(RULES), patrol_queries.gauges(RULES)]
    if name in EXAMPLES:
        return EXAMPLES[name]
    if parameter.default is not parameter.empty:
        return [parameter.default]
    raise AssertionError(f"{builder.__module__}.{builder.__name__}: give an example of {name!r} in tests/sql_texts.py")


def measures() -> list[Measure]:
    """One measure of each form of its own statements; those of several measures hold every other form."""
    forms: dict[tuple[bool, ...], Measure] = {}
    for item in BY_KEY.values():
        forms.setdefault((item.is_share, bool(item.whole)), item)
    return list(forms.values())
