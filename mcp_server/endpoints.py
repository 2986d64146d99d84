"""Where the clusters' own front ends are and with which account they may be asked: a YAML file of the operator."""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError

from mcp_server.errors import EndpointsInvalid

_MAX_BYTES = 1024 * 1024
_MOST = 5_000
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_Text = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\s\x00-\x1f]+$")]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    host: _Text
    port: int = Field(9030, ge=1, le=65_535)
    user: _Text
    password_env: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None


class LiveEndpoint(BaseModel):
    """The MySQL port of a cluster's FE, and an account that may list its nodes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str
    port: int = Field(9030, ge=1, le=65_535)
    user: str
    password: SecretStr = SecretStr("")


def load_endpoints(path: Path, environ: Mapping[str, str]) -> dict[str, LiveEndpoint]:
    """Cluster UUID → endpoint, as the file says; passwords come from the variables of `environ` that it names.

    Raises EndpointsInvalid with one line that names the place and the fix, and no secret.
    """
    entries = _parsed(path)
    if not isinstance(entries, dict) or len(entries) > _MOST:
        raise EndpointsInvalid(f"{path}: write one entry per cluster, its UUID as the key (at most {_MOST})")
    return {str(cluster).lower(): _endpoint(path, cluster, entry, environ) for cluster, entry in entries.items()}


def _parsed(path: Path) -> object:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise EndpointsInvalid(f"{path}: is larger than {_MAX_BYTES} bytes")
        return yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise EndpointsInvalid(f"{path}: cannot be read ({type(error).__name__})") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise EndpointsInvalid(f"{path}{line}: is no YAML") from None


def _endpoint(path: Path, cluster: object, raw: object, environ: Mapping[str, str]) -> LiveEndpoint:
    if not isinstance(cluster, str) or not _UUID.fullmatch(cluster.lower()):
        raise EndpointsInvalid(f"{path}: {str(cluster)[:60]!r} is no cluster UUID")
    try:
        entry = _Entry.model_validate(raw)
    except ValidationError as error:
        raise EndpointsInvalid(f"{path}: {cluster}: {_problem(error)}") from None
    if entry.password_env is None:
        return LiveEndpoint(host=entry.host, port=entry.port, user=entry.user)
    password = environ.get(entry.password_env)
    if password is None:
        raise EndpointsInvalid(f"{path}: {cluster}: the environment has no {entry.password_env} (password_env)")
    return LiveEndpoint(host=entry.host, port=entry.port, user=entry.user, password=SecretStr(password))


def _problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    name = ".".join(map(str, first["loc"])) or "entry"
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, _Entry.model_fields, 1)
        return f"{name[:60]}: no such key; {f'did you mean {near[0]}?' if near else 'host, port, user, password_env'}"
    return f"{name[:60]}: {first['msg']}"
