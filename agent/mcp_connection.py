"""One MCP server, kept connected by a task of its own.

The SDK binds a client to the task that entered it and, when the transport dies, cancels that task. So no caller ever
owns the client: callers hand their calls to the owner and get a result or a `ToolsUnavailable`."""

import asyncio
import contextlib
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self

from mcp import Client, MCPError, StdioServerParameters
from mcp.server import MCPServer
from mcp.types import CallToolResult, Tool

from agent.errors import ToolsRefused, ToolsUnavailable, ToolTimedOut

log = logging.getLogger(__name__)

REQUEST_TIMEOUT = -32001
CONNECTION_CLOSED = -32000
MAX_TOOLS = 256
MAX_PAGES = 16
MINUTE = 60.0


class Sleep(Protocol):
    """`asyncio.sleep`, or a stand-in of it."""

    def __call__(self, seconds: float, /) -> Awaitable[None]:
        """Waits."""
        ...


Target = MCPServer[Any] | StdioServerParameters | str | Any
"""What the SDK's client connects to: a server object, a command, an URL, or a transport."""


@dataclass(frozen=True, slots=True)
class ConnectionTimes:
    """Seconds: until a call is given up, until a connection attempt is, how long a call waits for a lost connection to
    come back, and between attempts (doubling, jittered). `probe` is how long a server that let a call time out may take
    to list its tools before it is taken to hang. `most_a_minute` caps the attempts after the first; None does not."""

    call: float = 40.0
    connect: float = 15.0
    patience: float = 5.0
    first_delay: float = 0.2
    last_delay: float = 10.0
    probe: float = 3.0
    most_a_minute: int | None = None


@dataclass(slots=True)
class _Order:
    """A call on its way to the owner; `seconds` is its time limit, `meta` goes along as request metadata."""

    name: str
    arguments: dict[str, Any]
    seconds: float
    meta: dict[str, Any] | None
    answer: asyncio.Future[CallToolResult] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class McpConnection:
    """Connects on entering, reconnects for as long as it is open. Enter and leave it in one task.

    `accept` is for a server that is not ours: it is shown the tools at each start and again before each call, and
    raises `ToolsRefused` to end the connection for good. Such a server is also replaced when it hangs.
    """

    def __init__(
        self,
        make_target: Callable[[], Target],
        *,
        name: str,
        times: ConnectionTimes | None = None,
        accept: Callable[[Sequence[Tool]], None] | None = None,
        sleep: Sleep = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._make_target = make_target
        self._times = times or ConnectionTimes()
        self._sleep = sleep
        self._jitter = jitter
        self._accept = accept
        self._clock = clock
        self._restarts: deque[float] = deque()
        self._refused: ToolsRefused | None = None
        self.listed: tuple[Tool, ...] = ()
        """What the server listed last, accepted or not."""
        # Callers live in tasks of their own; through a queue none of them ever holds the client, or is cancelled with
        # it.
        self._orders: asyncio.Queue[_Order] = asyncio.Queue()
        # Two events, since "not yet" and "no longer" are answered differently: the first is worth a longer wait.
        self._tried = asyncio.Event()
        self._ready = asyncio.Event()
        self._tools: tuple[Tool, ...] = ()
        self._last_fault = ""
        self._lived = False
        self._owner: asyncio.Task[None] | None = None
        self._supervisor: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._supervisor = asyncio.create_task(self._supervise(), name=f"mcp {self.name}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.wait([self._supervisor])

    @property
    def connected(self) -> bool:
        """Whether a server is answering at the moment."""
        return self._ready.is_set() and self._refused is None

    @property
    def refused(self) -> ToolsRefused | None:
        """Why the connection was ended for good, if it was."""
        return self._refused

    async def settled(self) -> bool:
        """Whether a server is answering, once the first attempt is decided."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._times.connect):
                await self._tried.wait()
        return self.connected

    async def tools(self) -> tuple[Tool, ...]:
        """The server's tools, as last listed. Raises `ToolsUnavailable` when it was never reached."""
        if not self._tools:
            await self._wait_ready()
        return self._tools

    async def call(
        self,
        name: str,
        arguments: Mapping[str, Any],
        *,
        seconds: float | None = None,
        meta: Mapping[str, Any] | None = None,
    ) -> CallToolResult:
        """The result of a tool, called with `meta` as MCP request metadata. Cancelling the caller cancels the call in
        the server.

        Raises `ToolTimedOut` after `seconds` and `ToolsUnavailable` when the server is gone or refuses the call.
        """
        limit = seconds or self._times.call
        await self._wait_ready()
        # Copied, because the call is made later and the caller may go on using its own.
        order = _Order(name, dict(arguments), limit, dict(meta) if meta else None)
        self._orders.put_nowait(order)
        try:
            # The client's own timeout comes first; this one is for a client that no longer runs at all.
            async with asyncio.timeout(limit + 1.0):
                return await order.answer
        except TimeoutError:
            raise ToolTimedOut(f"{self.name}: {name} gave no answer in {limit:g} s") from None

    async def _wait_ready(self) -> None:
        """The first attempt is waited for in full; afterwards people should not wait long to hear that it is down."""
        self._raise_refusal()
        if self._supervisor is None or self._supervisor.done():
            raise ToolsUnavailable(f"{self.name}: not open")
        try:
            async with asyncio.timeout(self._times.connect + self._times.patience):
                await self._tried.wait()
                async with asyncio.timeout(self._times.patience):
                    await self._ready.wait()
        except TimeoutError:
            raise ToolsUnavailable(f"{self.name}: not connected ({self._last_fault or 'still trying'})") from None
        self._raise_refusal()

    def _raise_refusal(self) -> None:
        if self._refused is not None:
            raise self._refused

    async def _supervise(self) -> None:
        delay = self._times.first_delay
        try:
            while True:
                self._lived = False
                self._owner = asyncio.create_task(self._own(), name=f"mcp {self.name} owner")
                await asyncio.wait([self._owner])
                self._ready.clear()
                # A connection that worked starts counting anew; one that never did is asked less and less often.
                delay = self._times.first_delay if self._lived else delay
                self._last_fault = _fault_of(self._owner)
                self._tried.set()
                self._refuse_waiting()
                if self._refused is not None:
                    self._ready.set()  # nobody needs to wait any longer; what they find is the refusal
                    log.warning("mcp server %s is stopped: %s", self.name, self._refused)
                    return
                log.warning("mcp server %s is gone (%s); connecting again", self.name, self._last_fault)
                # Half to one and a half times, so that many processes do not knock at a restarted server together.
                await self._sleep(self._pause(delay * (0.5 + self._jitter())))
                delay = min(delay * 2, self._times.last_delay)
        finally:
            await self._close_owner()

    def _pause(self, delay: float) -> float:
        """Seconds until the next attempt: the back-off, or longer when this minute's restarts are used up."""
        most, now = self._times.most_a_minute, self._clock()
        if most is None:
            return delay
        if len(self._restarts) == most:
            delay = max(delay, self._restarts.popleft() + MINUTE - now)
        # When it will happen, not now: the pause itself must not shorten the minute.
        self._restarts.append(now + delay)
        return delay

    async def _close_owner(self) -> None:
        self._ready.clear()
        if self._owner is not None and not self._owner.done():
            self._owner.cancel()
            await asyncio.wait([self._owner])
            _fault_of(self._owner)
        self._last_fault = "closed"
        self._refuse_waiting()

    def _refuse_waiting(self) -> None:
        # They would otherwise wait for their time-outs, for a connection that is not theirs any more.
        fault = self._refused or ToolsUnavailable(f"{self.name}: connection lost ({self._last_fault})")
        while not self._orders.empty():
            _give(self._orders.get_nowait(), fault)

    async def _own(self) -> None:
        """One life of a connection: connect, list the tools, then pass on calls until the transport dies."""
        calls: set[asyncio.Task[None]] = set()
        async with contextlib.AsyncExitStack() as stack:
            async with asyncio.timeout(self._times.connect):
                # Listed within the same time limit: a server that connects and then says nothing is no server.
                client = await stack.enter_async_context(
                    Client(self._make_target(), read_timeout_seconds=self._times.call)
                )
                await self._list(client)
            self._lived = True
            self._tried.set()
            self._ready.set()
            try:
                while True:
                    order = await self._orders.get()
                    # Its caller gave up while it waited in the queue; running it now would serve nobody.
                    if order.answer.done():
                        continue
                    task = asyncio.create_task(self._pass_on(client, order))
                    calls.add(task)
                    task.add_done_callback(calls.discard)
                    # The answer is all that the caller holds, so its cancellation is how we hear of it.
                    order.answer.add_done_callback(partial(_cancel_along, task))
            finally:
                for task in tuple(calls):
                    task.cancel()

    async def _pass_on(self, client: Client, order: _Order) -> None:
        try:
            if self._accept is not None:
                await self._list(client)
            # The SDK types metadata by its own keys; any other may stand beside them.
            meta: Any = order.meta
            result = await client.call_tool(order.name, order.arguments, read_timeout_seconds=order.seconds, meta=meta)
        except asyncio.CancelledError:
            _give(order, self._refused or ToolsUnavailable(f"{self.name}: connection lost during {order.name}"))
            raise
        except ToolsRefused as error:
            _give(order, error)
            self._end_life()
        except MCPError as error:
            _give(order, self._protocol_fault(order, error))
            # Only for servers of others: our own runs in this process and cannot be replaced.
            if error.code == REQUEST_TIMEOUT and self._accept is not None:
                await self._replace_if_hung(client)
        except Exception as error:  # whatever a transport raises must reach the waiting caller, and as one kind
            log.exception("mcp server %s failed during %s", self.name, order.name)
            _give(order, ToolsUnavailable(f"{self.name}: {type(error).__name__} during {order.name}"))
        else:
            if not order.answer.done():
                order.answer.set_result(result)

    def _protocol_fault(self, order: _Order, error: MCPError) -> ToolsUnavailable:
        if error.code == REQUEST_TIMEOUT:
            return ToolTimedOut(f"{self.name}: {order.name} gave no answer in {order.seconds:g} s")
        if error.code == CONNECTION_CLOSED:
            # A client whose child process died stays dead; only a new one helps, and the next call has to wait for it.
            self._end_life()
        return ToolsUnavailable(f"{self.name}: {order.name}: {error.message}")

    def _end_life(self) -> None:
        self._ready.clear()
        if self._owner is not None:
            self._owner.cancel()

    async def _list(self, client: Client) -> None:
        self.listed = tools = await _list_tools(client)
        if self._accept is not None:
            try:
                # Each time, not once: what was accepted is what is listed now, and a server may change while it runs.
                self._accept(tools)
            except ToolsRefused as error:
                self._refused = error
                raise
        self._tools = tools

    async def _replace_if_hung(self, client: Client) -> None:
        """A server that is only slow with one call still lists its tools meanwhile; one that hangs does not."""
        try:
            async with asyncio.timeout(self._times.probe):
                await self._list(client)
        except (MCPError, TimeoutError, ToolsRefused):
            log.warning("mcp server %s hangs; it is replaced", self.name)
            self._end_life()


async def _list_tools(client: Client) -> tuple[Tool, ...]:
    """The tools, as far as MAX_PAGES and MAX_TOOLS reach: a server could go on paging for ever."""
    tools: list[Tool] = []
    cursor: str | None = None
    for _ in range(MAX_PAGES):
        page = await client.list_tools(cursor=cursor, cache_mode="bypass")
        tools += page.tools
        cursor = page.next_cursor
        if not cursor or len(tools) >= MAX_TOOLS:
            break
    return tuple(tools[:MAX_TOOLS])


def _cancel_along(task: asyncio.Task[None], answer: asyncio.Future[CallToolResult]) -> None:
    """A caller that went away takes its call with it; the SDK tells the server."""
    if answer.cancelled():
        task.cancel()


def _give(order: _Order, error: ToolsUnavailable) -> None:
    if not order.answer.done():
        order.answer.set_exception(error)


def _fault_of(task: asyncio.Task[None]) -> str:
    """Why a task ended, in a word; also marks its exception as seen."""
    if task.cancelled():
        return "cancelled by its transport"
    error = task.exception()
    return "ended" if error is None else f"{type(error).__name__}: {error}"[:300]
