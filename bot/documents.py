"""Documents as plain JSON and back, for those that are kept until they can be posted."""

import base64
import dataclasses
from typing import Any

from handlers import document
from handlers.document import Document

_KINDS = {
    name: kind
    for name, kind in vars(document).items()
    if isinstance(kind, type) and dataclasses.is_dataclass(kind) and kind.__module__ == document.__name__
}
_BYTES = "bytes"


def document_json(shown: Document) -> dict[str, Any]:
    """A document with all that it holds."""
    written: dict[str, Any] = _written(shown)
    return written


def document_of(record: Any) -> Document:
    """The document that was written down. Raises ValueError when it is none, or holds parts of no known kind."""
    try:
        read = _read(record)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"a kept document cannot be read ({type(error).__name__})") from None
    if not isinstance(read, Document):
        raise ValueError("what was kept is no document")
    return read


def _written(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: _written(getattr(value, field.name)) for field in dataclasses.fields(value)}
        # by its class, since a note and a heading have the same fields
        return {"kind": type(value).__name__, "fields": fields}
    if isinstance(value, tuple):
        return [_written(item) for item in value]
    if isinstance(value, bytes):
        return {"kind": _BYTES, "base64": base64.b64encode(value).decode()}
    return value


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_read(item) for item in value)
    if not isinstance(value, dict):
        return value
    if value["kind"] == _BYTES:
        return base64.b64decode(value["base64"])
    return _KINDS[value["kind"]](**{name: _read(item) for name, item in value["fields"].items()})
