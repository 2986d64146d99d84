"""Server-sent events out of the bytes of a stream, however the network cut them.

The SDK has a decoder too; it takes as long for one reply as all the rest of a round."""

from collections.abc import Iterator

from agent.errors import ModelUnavailable

MOST_BYTES = 2**24
"""Of one event: a stream that goes on and on without ending one must not fill the memory."""


class Events:
    """Takes the bytes of one stream in order."""

    def __init__(self) -> None:
        self._rest = b""
        self._name = ""
        self._data: list[bytes] = []
        self._size = 0

    def take(self, chunk: bytes) -> Iterator[tuple[str, bytes]]:
        """The events that these bytes complete: the name, empty when it has none, and the data. Raises ModelUnavailable
        when one becomes too long."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            if event := self._line(line.removesuffix(b"\r")):
                yield event
        if self._size + len(self._rest) > MOST_BYTES:
            raise ModelUnavailable("an event of the stream is too long")

    def _line(self, line: bytes) -> tuple[str, bytes] | None:
        if not line:
            name, data = self._name, b"\n".join(self._data)
            self._name, self._data, self._size = "", [], 0
            return (name, data) if name or data else None
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
            self._size += len(value)
        elif field == b"event":
            self._name = value.decode(errors="replace")
        return None
