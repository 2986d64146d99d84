"""Takes secrets out of texts that are kept: logs and the audit file."""

import re

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


def redact(text: str) -> str:
    """`text` without tokens, keys and passwords in addresses."""
    return _TOKEN.sub(_BLOT, text)


def redact_statement(text: str) -> str:
    """The same for SQL and arguments, where values that are named as secrets go too, whatever they look like."""
    return _NAMED.sub(rf"\1{_BLOT}", redact(text))
