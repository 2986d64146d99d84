"""Which scope a principal has: the entries of a settings file, first match first."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from mcp_server.errors import ScopesInvalid
from mcp_server.principal import EVERYTHING, NOTHING, Principal, Scope

OWN_SURFACES = frozenset({"local", "terminal", "patrol"})
"""Surfaces of whoever runs the process: they hold its credentials anyway, so no file narrows them."""

_MAX_BYTES = 256 * 1024
_LONG = 200

Account = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class _Limits(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    databases: list[str] | None = Field(None, max_length=_LONG)
    tables: list[str] | None = Field(None, max_length=_LONG)
    accounts: list[Account] | None = Field(None, max_length=_LONG)

    def scope(self) -> Scope:
        return Scope(_frozen(self.databases), _frozen(self.tables), _frozen(self.accounts))


class _Entry(_Limits):
    surface: Pattern
    channel: Pattern = "*"
    user: Pattern = "*"

    def fits(self, principal: Principal) -> bool:
        asked = ((principal.surface, self.surface), (principal.channel, self.channel), (principal.user, self.user))
        return all(fnmatchcase(name, pattern) for name, pattern in asked)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    default: _Limits | None = None
    scopes: list[_Entry] = Field(max_length=1_000)


@dataclass(frozen=True, slots=True)
class Scopes:
    """The entries in force; without a file everybody sees everything. `until` is the moment that a replay sets for all
    (aware), None the present."""

    entries: tuple[_Entry, ...] = ()
    default: Scope = EVERYTHING
    until: datetime | None = None

    def of(self, principal: Principal) -> Scope:
        """The scope of the first entry that fits, else the default."""
        scope = self._of(principal)
        return scope if self.until is None else replace(scope, until=self.until)

    def _of(self, principal: Principal) -> Scope:
        if principal.surface in OWN_SURFACES:
            return EVERYTHING
        found = next((entry for entry in self.entries if entry.fits(principal)), None)
        return found.scope() if found else self.default


def load_scopes(path: Path, tables: Collection[str]) -> Scopes:
    """The scopes of a YAML file: `scopes`, a list of entries with patterns (`surface`, `channel`, `user`; * and ? as in
    file names) and limits (`databases`, `tables`, `accounts`; one that is left out does not limit), and `default`, the
    limits of everybody else; without it they see nothing.

    Raises ScopesInvalid with one line that names the key and the fix.
    """
    try:
        # A UTF-8 file with a byte order mark is a common gift of editors; it is no mistake worth a refusal.
        text = path.read_text(encoding="utf-8-sig")
        if len(text) > _MAX_BYTES:
            raise ScopesInvalid(f"{path}: is larger than {_MAX_BYTES // 1024} KB; use patterns instead of long lists")
        said = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader that also refuses double keys
        file = _File.model_validate(said if said is not None else {})
    except (OSError, UnicodeDecodeError) as error:
        raise ScopesInvalid(f"{path}: cannot be read ({type(error).__name__}); name a readable YAML file") from error
    except yaml.YAMLError as error:
        raise ScopesInvalid(f"{path}: is no YAML{_place(error)}; correct it there") from error
    except ValidationError as error:
        raise ScopesInvalid(f"{path}: {_fault(error)}") from error
    limits = [(f"scopes.{place}", entry) for place, entry in enumerate(file.scopes)]
    for key, limit in [*limits, *([("default", file.default)] if file.default else [])]:
        _require_known(path, key, limit, tables)
    return Scopes(tuple(file.scopes), file.default.scope() if file.default else NOTHING)


def _require_known(path: Path, key: str, limits: _Limits, tables: Collection[str]) -> None:
    databases = sorted({table.partition(".")[0] for table in tables})
    for name in limits.databases or ():
        if name not in databases:
            raise ScopesInvalid(f"{path}: {key}.databases: no such database {name!r}; it is {' or '.join(databases)}")
    for name in limits.tables or ():
        if name not in tables:
            raise ScopesInvalid(f"{path}: {key}.tables: no such table {name!r}; write database.table")


def _fault(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(str(part) for part in first["loc"]) or "the file"
    fixes = {
        "extra_forbidden": "no such key; the keys are surface, channel, user, databases, tables, accounts",
        "missing": "is missing; add it",
        "string_pattern_mismatch": "is no account id; write the short id of byoc.accounts.biz_id",
    }
    if first["type"] == "extra_forbidden" and len(first["loc"]) == 1:
        return f"{key}: no such key; the keys are default, scopes"
    return f"{key}: {fixes.get(first['type'], first['msg'])}"


def _place(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""


def _frozen(names: list[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


class _Loader(yaml.SafeLoader):
    """Refuses a key that is written twice: the second would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        double = next((key for key in keys if keys.count(key) > 1), None)
        if double is not None:
            raise yaml.constructor.ConstructorError(None, None, f"the key {double!r} stands twice", node.start_mark)
        return dict(super().construct_mapping(node, deep))
