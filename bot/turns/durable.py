"""Turns that survive the process: queued, repeated and handed over by DBOS, in a SQLite file or in Postgres."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import structlog
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetEnqueueOptions, SetWorkflowID
from dbos._error import DBOSException, DBOSWorkflowConflictIDError
from sqlalchemy import URL, make_url

from agent.journal import Json
from agent.journal import Work as Step
from bot.errors import SettingsError
from bot.turns.inbox import Inbox, Sight
from bot.turns.large import Blobs, stand_in, whole
from bot.turns.port import MAX_WAITING, Stopped, TurnsFull, Work, lane
from bot.turns.presence import Presence, present
from bot.turns.running import ATTEMPTS, Running
from handlers.surface import Event

log = structlog.get_logger()

VERSION = "1"
"""Part of what a crash is recovered by: raise it when the order of a turn's steps changes, once the old ones are done.
DBOS would otherwise take a hash of the source, and every edit would strand the turns that are under way."""

QUEUE = "turns"
ENDING = 5.0
"""Seconds that DBOS gets to write down how turns ended before the process goes."""


@dataclass(frozen=True, slots=True)
class DurableOptions:
    """`executor` is unique among the processes on one database and the same after a restart. `poll` and `watch` are
    seconds between looks for new turns, and for dead processes and turns stopped elsewhere; `limit` bounds a turn."""

    executor: str = "starwatch-0"
    poll: float = 0.1
    watch: float = 2.0
    limit: float = 900.0
    threads: int = 8
    max_running: int = 64


class Ref(TypedDict):
    """What DBOS keeps of a turn; the event itself is in the inbox."""

    lane: str


def turns_address(database_url: str) -> URL:
    """Where DBOS keeps its tables: in the same Postgres database, or in a SQLite file beside ours.

    Raises SettingsError for a Postgres behind a Unix socket: lost connections are not recognised there.
    """
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        path = Path(str(url.database))
        return URL.create("sqlite", database=str(path.with_suffix(".turns" + path.suffix)))
    if not url.host or url.host.startswith("/"):
        raise SettingsError("STARWATCH_DATABASE_URL: names no host; reach Postgres over TCP (host=127.0.0.1 will do)")
    return url.set(drivername="postgresql")


class _Journal:
    """Steps as DBOS checkpoints. A step that finds the turn taken over by another process parks it."""

    def __init__(self, running: Running, inbox: Inbox, blobs: Blobs, lane: str, turn: str) -> None:
        self._running = running
        self._inbox = inbox
        self._blobs = blobs
        self._lane = lane
        self._turn = turn

    async def step(self, name: str, work: Step) -> Json:
        fresh: list[Json] = []

        async def done() -> Json:
            fresh.append(await work())
            return await stand_in(fresh[-1], self._blobs)

        # no await before this call: DBOS numbers steps in the order in which they are begun
        checkpoint: Coroutine[Any, Any, Json] = DBOS.run_step_async({"name": name}, done)
        try:
            written = await checkpoint
        except DBOSWorkflowConflictIDError:
            log.warning("a turn is done by another process now", turn=self._turn)
            self._running.park(self._turn)
            raise asyncio.CancelledError from None
        return fresh[-1] if fresh else await whole(written, self._blobs)

    async def heard(self, name: str) -> Sequence[str]:
        async def hear() -> Json:
            return list(await self._inbox.hear(self._lane, self._turn, name))

        heard: Sequence[str] = await self.step(name, hear)
        return heard


class DurableTurns:
    """A `TurnEngine`. One per process, as DBOS is; open it with `durable_turns`."""

    def __init__(self, work: Work, inbox: Inbox, blobs: Blobs, options: DurableOptions) -> None:
        self._inbox = inbox
        self._blobs = blobs
        self._options = options
        self.running = Running(work, inbox, options.limit)
        self._closed = False

    async def submit(self, event: Event) -> bool:
        """See `TurnEngine`. Raises StoreUnwritable when nothing can be kept."""
        if self._closed or await self._inbox.waiting() >= MAX_WAITING:
            raise TurnsFull("I have too much to do at the moment. Please ask again in a few minutes.")
        sight = await self._inbox.put(event)
        if sight is not Sight.OLD:
            await self._enqueue(event)
        return sight is Sight.NEW

    async def _enqueue(self, event: Event) -> None:
        name = lane(event)
        order = getattr(event, "order", "")
        # the same id for the same event: a redelivery after a crash in between finds the turn or makes it, never two
        turn = f"turn:{name}:{order}:{event.key}"[:255]
        with (
            SetWorkflowID(turn),
            SetEnqueueOptions(queue_partition_key=name),
        ):
            await DBOS.enqueue_workflow_async(QUEUE, turn_workflow, Ref(lane=name))

    async def do(self, name: str, turn: str) -> None:
        """One turn: the next event of the lane."""
        await self.running.run(name, turn, _Journal(self.running, self._inbox, self._blobs, name, turn))

    async def stop(self, thread: str) -> Stopped:
        """See `TurnEngine`. A turn in another process ends when that one looks, within `watch` seconds."""
        turns, stopped = await self._inbox.stop(thread)
        self.running.stop(turns)
        return stopped

    async def edit(self, key: str, text: str) -> bool:
        """See `TurnEngine`."""
        return await self._inbox.edit(key, text)

    async def withdraw(self, key: str) -> bool:
        """See `TurnEngine`."""
        done, turn = await self._inbox.withdraw(key)
        self.running.stop([turn])
        return done

    async def close(self, seconds: float) -> int:
        """See `TurnEngine`. What was cut off goes on in the next process."""
        self._closed = True
        return await self.running.close(seconds)

    async def watch(self, presence: Presence) -> None:
        """Look for turns that were stopped elsewhere and for dead processes, until cancelled."""
        while True:
            await asyncio.sleep(self._options.watch)
            try:
                if turns := self.running.turns:
                    self.running.stop(await self._inbox.stopping(turns))
                await self._adopt(presence)
            except Exception:  # the outermost edge of a task of its own: the next look may succeed
                log.exception("looking after the turns of other processes failed")

    async def _adopt(self, presence: Presence) -> None:
        pending = await DBOS.list_workflows_async(status="PENDING", load_input=False, load_output=False, limit=10_000)
        executors = {str(turn.executor_id) for turn in pending if turn.executor_id}
        for executor in executors - {self._options.executor}:
            if await presence.take(executor):
                try:
                    adopted = await asyncio.to_thread(_recover, executor)
                    log.warning("took over the turns of a dead process", executor=executor, turns=adopted)
                finally:
                    await presence.give_back(executor)


def _recover(executor: str) -> int:
    # not public, hence the narrow version of DBOS and a test that kills: the public call would forget the attempts
    return len(DBOS._recover_pending_workflows([executor]))


_engines: list[DurableTurns] = []
"""The engine of this process while it is open: DBOS calls workflows by their names, with nothing else in hand."""


@DBOS.workflow(name="turn", max_recovery_attempts=ATTEMPTS)
async def turn_workflow(ref: Ref) -> None:
    """One turn, as DBOS calls it, first or again."""
    if not _engines or (turn := DBOS.workflow_id) is None:
        raise asyncio.CancelledError
    await _engines[-1].do(ref["lane"], turn)


@asynccontextmanager
async def durable_turns(
    work: Work, inbox: Inbox, blobs: Blobs, address: URL, options: DurableOptions | None = None
) -> AsyncIterator[DurableTurns]:
    """The engine at work on the DBOS tables at `address`, made when missing, while the context is open.

    Raises OperatorError when a process with this executor id is alive, or the database cannot be used.
    """
    options = options or DurableOptions()
    async with present(address, options.executor) as presence:
        engine = DurableTurns(work, inbox, blobs, options)
        _engines.append(engine)
        try:
            dbos = await _launched(address, options)
            watcher = asyncio.create_task(engine.watch(presence), name="turns of other processes")
            try:
                yield engine
            finally:
                await engine.close(0)
                watcher.cancel()
                await asyncio.gather(watcher, return_exceptions=True)
                # what DBOS writes down behind a turn comes after the turn
                if ending := set(dbos._workflow_tasks):
                    await asyncio.wait(ending, timeout=ENDING)
        finally:
            _engines.remove(engine)
            await asyncio.to_thread(DBOS.destroy)


class _Unhurried(sqlite3.Connection):
    """Leaves it to the write-ahead journal to be on disk in time: a killed process loses nothing, and a machine that
    loses power its last commits. DBOS would wait for the disk at each step."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.execute("PRAGMA synchronous=NORMAL")


async def _launched(address: URL, options: DurableOptions) -> DBOS:
    if address.get_backend_name() == "sqlite":
        with contextlib.closing(sqlite3.connect(str(address.database))) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
    config = DBOSConfig(
        name="starwatch",
        system_database_url=address.render_as_string(hide_password=False),
        application_version=VERSION,
        executor_id=options.executor,
        serializer=DBOSPortableJSONSerializer(),
        max_executor_threads=options.threads,
        notification_listener_polling_interval_sec=min(options.poll, 0.1),
        log_level="ERROR",
    )
    if address.get_backend_name() == "sqlite":
        config["db_engine_kwargs"] = {"connect_args": {"factory": _Unhurried}}
    try:
        dbos = DBOS(config=config)
        _log_as_we_do()
        DBOS.launch()
        await DBOS.register_queue_async(
            QUEUE,
            partition_concurrency=1,
            worker_concurrency=options.max_running,
            polling_interval_sec=options.poll,
            on_conflict="always_update",
        )
    except DBOSException as error:
        raise SettingsError(f"STARWATCH_DATABASE_URL: the queue of turns cannot be opened ({error})") from None
    return dbos


def _log_as_we_do() -> None:
    """DBOS writes to stderr by itself; its lines belong into the process's own log."""
    logger = logging.getLogger("dbos")
    logger.handlers.clear()
    logger.propagate = True
