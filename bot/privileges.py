"""What SHOW GRANTS says, read strictly, and what of it is too much or too little for an account of Starwatch."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import schema

Allowance = Mapping[str, frozenset[str]]
"""Privileges by object: `database.table`, or `database.*` for all of a database."""

_SELECT = frozenset({"SELECT"})
_SHAPES = {"information_schema.*": _SELECT}
READER: Allowance = {f"{database}.*": _SELECT for database in schema.DATABASES} | _SHAPES
WRITER: Allowance = {table: frozenset({"INSERT", "SELECT"}) for table in schema.WRITTEN} | _SHAPES

ROWS = frozenset({"TABLE", "VIEW", "MATERIALIZED VIEW"})
"""Kinds of objects that hold rows."""
_KINDS = (
    *("MATERIALIZED VIEW", "TABLE", "VIEW", "DATABASE", "CATALOG", "USER", "GLOBAL FUNCTION", "FUNCTION"),
    *("RESOURCE GROUP", "RESOURCE", "STORAGE VOLUME", "WAREHOUSE", "PIPE"),
)
_PLURALS = {f"{kind}S": kind for kind in _KINDS}
# What other versions call INSERT.
_OTHER_NAMES = {"INGEST": "INSERT", "ALL PRIVILEGES": "ALL"}
_OWN_CATALOGS = frozenset({"", "default", "default_catalog"})
_GRANT = re.compile(
    r"GRANT (?P<what>.+?)(?: ON (?P<on>.+?))? TO (?:USER |ROLE )?(?P<to>\S+?)(?P<option> WITH GRANT OPTION)?\s?;?",
    re.IGNORECASE,
)
_ALL_IN = re.compile(r"ALL (?P<kinds>.+?) IN (?:(?P<every>ALL DATABASES)|DATABASE (?P<databases>.+))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Grant:
    """One line of SHOW GRANTS. Privileges are upper case with blanks; `kind` is TABLE, SYSTEM, … or ROLE, and then
    `objects` are the roles. `objects` are names such as `db.table`, `db.*`, `*.*`."""

    privileges: frozenset[str]
    kind: str
    objects: tuple[str, ...]
    catalog: str = "default"
    passed_on: bool = False


def parsed(text: str, catalog: str | None) -> Grant | None:
    """The grant in a line of SHOW GRANTS; None when it has no form that is known."""
    found = _GRANT.fullmatch(" ".join(text.split()))
    if found is None:
        return None
    if found["on"] is None:
        return Grant(frozenset(), "ROLE", _names(found["what"]), catalog or "", bool(found["option"]))
    privileges = frozenset(map(_privilege, found["what"].split(",")))
    kind, objects = _object(found["on"])
    return Grant(privileges, kind, objects, catalog or "", bool(found["option"]))


def surplus(grants: Iterable[Grant], allowed: Allowance) -> tuple[str, ...]:
    """What the account may do beyond `allowed`, each as the end of "the account …"; roles are not looked at."""
    return tuple(dict.fromkeys(line for grant in grants if grant.kind != "ROLE" for line in _beyond(grant, allowed)))


def unmet(grants: Iterable[Grant], privilege: str, tables: Iterable[str]) -> tuple[str, ...]:
    """Those of `tables` (views among them) on which none of the grants gives the privilege."""
    known = tuple(grants)
    return tuple(table for table in tables if not any(_gives(grant, privilege, table) for grant in known))


def roles(grants: Iterable[Grant]) -> tuple[str, ...]:
    """The roles that the account has, in order."""
    return tuple(dict.fromkeys(name for grant in grants if grant.kind == "ROLE" for name in grant.objects))


def _beyond(grant: Grant, allowed: Allowance) -> Iterator[str]:
    if grant.passed_on:
        yield f"may grant on {_listed(grant.privileges)} ({grant.kind} {', '.join(grant.objects)})"
    if grant.catalog not in _OWN_CATALOGS:
        yield f"may use the external catalog {grant.catalog}"
    elif grant.kind in ROWS:
        for name in grant.objects:
            if more := grant.privileges - _granted(name, allowed):
                yield f"has {_listed(more)} on {'every database' if name == '*.*' else name}"
    elif grant.kind == "SYSTEM":
        yield f"has {_listed(grant.privileges)} on the whole system"
    elif grant.privileges != {"USAGE"} or grant.kind != "CATALOG":
        yield f"has {_listed(grant.privileges)} on {grant.kind} {', '.join(grant.objects)}"


def _granted(name: str, allowed: Allowance) -> frozenset[str]:
    database, dot, _ = name.partition(".")
    return allowed.get(name, frozenset()) | allowed.get(f"{database}{dot}*", frozenset())


def _gives(grant: Grant, privilege: str, table: str) -> bool:
    kind = "VIEW" if table in schema.views() else "TABLE"
    covering = {table, f"{table.partition('.')[0]}.*", "*.*"}
    return (
        grant.kind == kind
        and grant.catalog in _OWN_CATALOGS
        and bool(grant.privileges & {privilege, "ALL"})
        and not covering.isdisjoint(grant.objects)
    )


def _privilege(word: str) -> str:
    plain = word.strip().upper().replace("_", " ")
    return _OTHER_NAMES.get(plain, plain)


def _object(text: str) -> tuple[str, tuple[str, ...]]:
    if text.upper() == "SYSTEM":
        return "SYSTEM", ("*",)
    if found := _ALL_IN.fullmatch(text):
        databases = ("*",) if found["every"] else _names(found["databases"])
        return _PLURALS.get(found["kinds"].upper(), found["kinds"].upper()), tuple(f"{name}.*" for name in databases)
    if text.upper().startswith("ALL "):
        plural = text[4:].upper()
        return _PLURALS.get(plural, plural), ("*",)
    for kind in _KINDS:
        if text.upper().startswith(f"{kind} "):
            return kind, _names(text[len(kind) + 1 :])
    return "TABLE", _names(text)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip().replace("`", "").replace("'", "") for name in text.split(","))


def _listed(privileges: Iterable[str]) -> str:
    return ", ".join(sorted(privileges))
