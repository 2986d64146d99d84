"""Takes secrets out of texts that are kept or passed on: logs, the audit file, and what the warehouse answers."""

import asyncio
import re
from collections.abc import Collection, Sequence

from mcp_server.values import Scalar

_TOKEN = re.compile(
    r"xox[a-z]-[\w-]{6,}|xapp-[\w-]{6,}|sk-ant-[\w-]{6,}|AKIA[0-9A-Z]{12,}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+"
    r"|(?<=://)[^\s/@:]{1,200}:[^\s/@]{1,200}(?=@)"
    r"|-----BEGIN [A-Z ]{1,40}-----[\s\S]{1,8000}?-----END [A-Z ]{1,40}-----"
)

# Backslashes: the same inside JSON.
# `"aws.s3.secret_key" = "…"`, `password: …`, `IDENTIFIED BY '…'`, `Bearer …`: the name tells, whatever the value is.
_NAMED = re.compile(
    r"""((?:password|passwd|secret|token|access_key|api_?key|credential)[\w.]{0,40}
         \\{0,8}["'`]?\s{0,8}(?:=>?|:)\s{0,8}
        |identified\s{1,8}by\s{1,8}|\bbearer\s{1,8})
        \\{0,8}(?:'[^']{1,4000}'|"[^"]{1,4000}"|(?!\d{1,9}\b)[^\s'",;)]{1,4000})""",
    re.IGNORECASE | re.VERBOSE,
)
_BLOT = "[redacted]"

# A column of such a name holds secrets, whatever they look like; `input_tokens` and `password_age` do not.
_SECRET_COLUMN = re.compile(
    r"(?:^|_)(?:password|passwd|secret|secret_key|access_key|api_?key|token|credential)$", re.IGNORECASE
)
# Without one of these (in small letters) there is nothing for the pattern to find.
_TOKEN_TRACES = ("xox", "xapp-", "sk-ant-", "akia", "eyj", "://", "-----begin")
_NAMED_TRACES = (
    "passw", "secret", "token", "access_key", "apikey", "api_key", "credential", "identified", "bearer",
)  # fmt: skip
_THREAD_CHARS = 32_768
"""Results with more text are looked through in a thread: the patterns read some megabytes in a second."""


def redact(text: str) -> str:
    """`text` without tokens, keys and passwords in addresses."""
    return _TOKEN.sub(_BLOT, text)


def redact_statement(text: str) -> str:
    """The same for SQL and arguments, where values that are named as secrets go too, whatever they look like."""
    return _redact_named(redact(text))


def _redact_named(text: str) -> str:
    return _NAMED.sub(rf"\1{_BLOT}", text)


def redact_rows(names: Sequence[str], rows: list[list[Scalar]]) -> tuple[list[list[Scalar]], int]:
    """Rows of a result without secrets, and how many cells that changed; the very same rows when it is none."""
    secret = {at for at, name in enumerate(names) if _SECRET_COLUMN.search(name)}
    made = list(rows)
    changed = 0
    for place, row in enumerate(rows):
        if _suspect(row, secret):
            made[place] = [_clean_cell(cell, at in secret) for at, cell in enumerate(row)]
            changed += sum(new != old for new, old in zip(made[place], row, strict=True))
    return (made, changed) if changed else (rows, 0)


async def redact_rows_async(names: Sequence[str], rows: list[list[Scalar]]) -> tuple[list[list[Scalar]], int]:
    """The same without holding up the event loop."""
    if _are_short(rows):
        return redact_rows(names, rows)
    return await asyncio.to_thread(redact_rows, names, rows)


def _are_short(rows: Sequence[Sequence[Scalar]]) -> bool:
    left = _THREAD_CHARS
    for row in rows:
        left -= sum(len(cell) if isinstance(cell, str) else 1 for cell in row)
        if left < 0:
            return False
    return True


def _suspect(row: Sequence[Scalar], secret: Collection[int]) -> bool:
    # one look at the whole row: most rows have nothing, and the patterns are a hundred times slower than this
    text = "\n".join(cell for cell in row if isinstance(cell, str)).lower()
    return any(row[at] for at in secret) or _has(text, _TOKEN_TRACES) or _has(text, _NAMED_TRACES)


def _has(text: str, traces: Collection[str]) -> bool:
    return any(trace in text for trace in traces)


def _clean_cell(cell: Scalar, secret: bool) -> Scalar:
    if not isinstance(cell, str) or not cell:
        return cell
    if secret:
        return _BLOT
    lowered = cell.lower()
    clean = redact(cell) if _has(lowered, _TOKEN_TRACES) else cell
    return _redact_named(clean) if _has(lowered, _NAMED_TRACES) else clean
