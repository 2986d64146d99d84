"""One client's connection: login, then commands until it leaves. A statement never outlives its client."""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack

from sandbox.errors import ProtocolError, StatementError
from sandbox.wire import login
from sandbox.wire.backend import Affected, Backend, Outcome, Peer, ResultSet, Session
from sandbox.wire.packets import PacketStream, Payload, lenint
from sandbox.wire.prepared import PreparedStatements
from sandbox.wire.values import Column, Kind, binary_row, definition, row_count, text_row

# A stranger holds a place of the listener only this long; somebody logged in may be silent for hours.
LOGIN_SECONDS = 10.0
_AUTOCOMMIT = 0x2
_MORE_RESULTS = 0x8
# Refusals quote the statement; clients show the whole text, and a terminal full of SQL hides the reason.
_MESSAGE_LIMIT = 2000
_log = logging.getLogger(__name__)


class Connection:
    """Speaks the protocol with one client on behalf of one session."""

    def __init__(self, stream: PacketStream, backend: Backend, connection_id: int, address: str) -> None:
        self._stream = stream
        self._backend = backend
        self._peer = Peer(connection_id, address, stream.abort)
        self._prepared = PreparedStatements()
        self._commands: dict[int, Callable[[Session, Payload], Awaitable[None]]] = {
            0x02: self._init_db,
            0x03: self._query,
            0x04: self._field_list,
            0x0E: self._ping,
            0x16: self._prepare,
            0x17: self._execute,
            0x18: self._long_data,
            0x19: self._close_statement,
            0x1A: self._reset_statement,
            0x1B: self._set_option,
            0x1F: self._reset,
        }

    async def serve(self) -> None:
        """Log the client in and run its commands; returns when it quits, vanishes or may not enter."""
        try:
            async with asyncio.timeout(LOGIN_SECONDS):
                session = await self._login()
        except TimeoutError:
            return
        if session is None:
            return
        try:
            while await self._command(session):
                pass
        finally:
            await session.close()

    async def _login(self) -> Session | None:
        nonce = login.new_nonce()
        self._stream.write(login.greeting(self._backend.version, self._peer.connection_id, nonce))
        await self._stream.flush()
        credentials = await login.receive(self._stream, nonce)
        async with AsyncExitStack() as entering:
            try:
                session = self._backend.login(credentials, self._peer)
                # until `serve` has it nobody else would close it, should the client vanish on the doorstep
                entering.push_async_callback(session.close)
                if credentials.database:
                    await session.use(credentials.database)
            except StatementError as error:
                # a refused login ends the connection: a client that ignores the ERR packet gets nothing more
                self._error(error)
                await self._stream.flush()
                return None
            self._ok()
            await self._stream.flush()
            entering.pop_all()
        return session

    async def _command(self, session: Session) -> bool:
        message = await self._stream.read()
        # An empty message cannot be answered in step, so it ends the connection like COM_QUIT does.
        if not message or message[0] == 0x01:
            return False
        command = self._commands.get(message[0])
        try:
            if command is None:
                raise StatementError(1047, "Unknown command", "08S01")
            await command(session, Payload(message[1:]))
        except StatementError as error:
            self._error(error)
        # Nobody is left to read an ERR packet: the client is gone, or the server stops.
        except (ProtocolError, asyncio.CancelledError):
            raise
        except Exception:  # noqa: BLE001 - the edge: whatever it is, the client gets an ERR packet and the log the cause
            _log.exception("a command failed in a way nobody foresaw")
            self._error(StatementError(1105, "Unknown error"))
        await self._stream.flush()
        return True

    async def _init_db(self, session: Session, payload: Payload) -> None:
        await session.use(_text(payload))
        self._ok()

    async def _query(self, session: Session, payload: Payload) -> None:
        await self._while_present(self._run(session, _text(payload), binary=False))

    async def _field_list(self, session: Session, payload: Payload) -> None:
        # Older clients ask for this at every USE, for completion; the trailing 0xfb is the default value they expect.
        for column in session.columns_of(_utf8(payload.until_zero())):
            self._stream.write(definition(column) + b"\xfb")
        self._eof()

    async def _ping(self, session: Session, payload: Payload) -> None:
        self._ok()

    async def _prepare(self, session: Session, payload: Payload) -> None:
        statement_id, prepared = self._prepared.add(await session.placeholders(_text(payload)))
        # No columns are told yet: they are known only once the values are, and drivers read them with the rows anyway.
        self._stream.write(b"\0" + struct.pack("<IHHBH", statement_id, 0, prepared.parameters, 0, 0))
        for _ in range(prepared.parameters):
            self._stream.write(definition(Column("?", Kind.VAR_STRING)))
        if prepared.parameters:
            self._eof()

    async def _execute(self, session: Session, payload: Payload) -> None:
        await self._while_present(self._run(session, self._prepared.bind(payload), binary=True))

    # These two commands have no answer in the protocol; any packet here would be taken for that of the next.
    async def _long_data(self, session: Session, payload: Payload) -> None:
        self._prepared.append_long_data(payload)

    async def _close_statement(self, session: Session, payload: Payload) -> None:
        self._prepared.forget(payload.integer(4))

    async def _reset_statement(self, session: Session, payload: Payload) -> None:
        self._ok()

    # The one option there is, several statements a text, is always on: what each may do is checked by itself.
    async def _set_option(self, session: Session, payload: Payload) -> None:
        self._eof()

    async def _reset(self, session: Session, payload: Payload) -> None:
        session.reset()
        self._prepared.clear()
        self._ok()

    async def _while_present(self, work: Coroutine[None, None, None]) -> None:
        """Run `work`; when the client goes away first, stop it and raise ProtocolError."""
        task = asyncio.ensure_future(work)
        gone = asyncio.ensure_future(self._stream.gone.wait())
        try:
            await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise ProtocolError("the client vanished while its statement ran")
            await task
        finally:
            gone.cancel()
            task.cancel()
            # The statement must have left its cursor before the next one, or `close`, touches it.
            await asyncio.wait({task, gone})

    async def _run(self, session: Session, text: str, *, binary: bool) -> None:
        try:
            statements = await session.split(text)
            for index, statement in enumerate(statements):
                outcome = await session.run(statement)
                await self._send(outcome, binary=binary, more=index + 1 < len(statements))
            # A text of comments alone is no error for drivers that ping with one.
            if not statements:
                self._ok()
        finally:
            session.finish()

    async def _send(self, outcome: Outcome, *, binary: bool, more: bool) -> None:
        status = _AUTOCOMMIT | (_MORE_RESULTS if more else 0)
        if isinstance(outcome, Affected):
            self._ok(outcome.rows, status)
            return
        await self._send_rows(outcome, binary=binary)
        self._eof(status)

    async def _send_rows(self, result: ResultSet, *, binary: bool) -> None:
        self._stream.write(row_count(len(result.columns)))
        for column in result.columns:
            self._stream.write(definition(column))
        self._eof()
        async for batch in result.batches:
            for row in batch:
                self._stream.write(binary_row(row, result.columns) if binary else text_row(row))
            await self._stream.flush()

    def _ok(self, affected: int = 0, status: int = _AUTOCOMMIT) -> None:
        self._stream.write(b"\0" + lenint(affected) + b"\0" + struct.pack("<HH", status, 0))

    def _eof(self, status: int = _AUTOCOMMIT) -> None:
        self._stream.write(b"\xfe" + struct.pack("<HH", 0, status))

    def _error(self, error: StatementError) -> None:
        head = b"\xff" + struct.pack("<H", error.code) + b"#" + error.state.encode()
        self._stream.write(head + error.message[:_MESSAGE_LIMIT].encode())


def _text(payload: Payload) -> str:
    return _utf8(payload.rest())


def _utf8(sent: bytes) -> str:
    try:
        return sent.decode()
    except UnicodeDecodeError as error:
        raise StatementError(1300, "Invalid utf8mb4 character string", "HY000") from error
