"""Rules on the text itself, before any parser sees it."""

import re

from mcp_server.errors import Code, Refusal

MAX_BYTES = 16 * 1024
MAX_DEPTH = 48
MAX_WORDS = 2_500

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2028\u2029\u2060-\u2069\ufeff]")
_BRACKET_HINT = re.compile(r"\b(join|over\s*\()\s*\[|\[\s*_[a-z]+_\s*\]", re.IGNORECASE)
# Quoted texts and comments as one piece each, unclosed ones to the end; words; brackets; any other character.
_PIECES = re.compile(
    r"""(?:'(?:[^'\\]|\\.)*(?:'|$)|"(?:[^"\\]|\\.)*(?:"|$)|`[^`]*(?:`|$)|--[^\n]*|/\*.*?(?:\*/|$))"""
    r"""|(?P<open>[(\[{]|case\b)|(?P<close>[)\]}]|end\b)|\w+|\s+|.""",
    re.DOTALL | re.IGNORECASE,
)
# Shorter texts with few brackets cannot cost the parser more than looking closer does.
_SHORT_CHARS = 600
_FEW_BRACKETS = 16
_MAX_SUBSCRIPTS = 64


def refuse_size(sql: str) -> None:
    """Refuse text that is empty or larger than 16 KB."""
    if not sql.strip():
        raise Refusal("size", Code.SYNTAX, "the statement is empty", hint="send one SELECT")
    size = len(sql.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        reason = f"the statement has {size} bytes, more than {MAX_BYTES}"
        raise Refusal("size", Code.BAD_ARGUMENT, reason, hint="filter with a join or a range, not a long list")


def refuse_control_characters(sql: str) -> None:
    """Refuse characters that hide text from a reader: control, zero-width and direction marks, lone surrogates."""
    found = _CONTROL.search(sql)
    if found:
        raise _hidden(f"U+{ord(found.group()):04X} at character {found.start()}")
    try:
        sql.encode("utf-8")
    except UnicodeEncodeError as error:
        raise _hidden(f"lone surrogate at character {error.start}") from error


def refuse_costly(sql: str) -> None:
    """Refuse, before they are parsed, texts whose parsing could take long: deep nesting and very many words."""
    if len(sql) <= _SHORT_CHARS and sql.count("[") <= _FEW_BRACKETS and sql.count("(") <= MAX_DEPTH:
        return
    depth = deepest = words = subscripts = 0
    for piece in _PIECES.finditer(sql):
        if piece["open"]:
            depth += 1
            deepest = max(deepest, depth)
            subscripts += piece["open"] == "["
        elif piece["close"]:
            depth -= 1
        words += not piece.group().isspace()
    if deepest > MAX_DEPTH or subscripts > _MAX_SUBSCRIPTS:
        hint = "use fewer nested parentheses, brackets and subqueries"
        raise Refusal("depth", Code.SYNTAX, "the statement is nested too deeply", hint=hint)
    if words > MAX_WORDS:
        reason = f"the statement has more than {MAX_WORDS} words"
        raise Refusal("size", Code.BAD_ARGUMENT, reason, hint="filter with a join or a range, not a long list")


def refuse_bracket_hints(sql: str) -> None:
    """Explain `JOIN [broadcast]` and its like, which would only be called syntax errors."""
    found = _BRACKET_HINT.search(sql)
    if found:
        hint = "drop the brackets: the optimizer picks the distribution"
        raise Refusal("hints", Code.READ_ONLY, "hints are not allowed", part=found.group(), hint=hint)


def _hidden(part: str) -> Refusal:
    hint = "use plain spaces, tabs and line breaks"
    return Refusal("characters", Code.SYNTAX, "the statement holds a hidden character", part=part, hint=hint)
