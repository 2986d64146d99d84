"""Turns that survive the process, in a SQLite file or in Postgres.

Which event is whose turn, and in which order, is the inbox's to say, and what a turn has done is in our own journal. A
DBOS workflow is the worker of one turn: it is what is begun again after a crash, here or in another process."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypedDict
from uuid import uuid4

import structlog
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID
from dbos._error import DBOSException
from sqlalchemy import URL, make_url

from bot.errors import SettingsError
from bot.store.batches import Batches
from bot.store.group import Outcome
from bot.store.opening import FROZEN
from bot.turns.inbox import Sight
from bot.turns.journal import Shelf, TurnJournal
from bot.turns.lanes import Lanes
from bot.turns.large import Blobs
from bot.turns.port import MAX_WAITING, Stopped, TurnsFull, Work, lane
from bot.turns.presence import Presence, present
from bot.turns.running import Running
from bot.turns.steps import Steps
from bot.turns.stored import StoredInbox
from handlers.surface import Event, Question

log = structlog.get_logger()

VERSION = "1"
"""Raise it when the steps of a turn change their meaning. A turn that another version began is begun anew then, from
its event: steps of that version count for nothing, and what it posted is found by its mark."""
WORKERS = "1"
"""DBOS's own version, the same for ever, so that any process takes any worker up: all that it is told is its lane.
DBOS would otherwise take a hash of the source, and every edit would strand the turns that are under way."""

ANY_NUMBER = 1_000_000
"""Times that DBOS may begin a worker again: attempts at a turn are counted in the inbox, which says what becomes of
a turn that had too many."""
MOST_BYTES = 2**30
"""The size that DBOS's SQLite file may reach; it is tidied every night and stays far below. Beyond it no worker begins,
and events wait in the inbox, rather than that the host's disk is filled."""
APART = 0.002
"""Seconds between the beginnings of two turns: what a round takes on a slow processor, with some room."""

ENDING = 5.0
"""Seconds that DBOS gets to write down how turns ended before the process goes."""


@dataclass(frozen=True, slots=True)
class DurableOptions:
    """`executor` is unique among the processes on one database and the same after a restart. `poll` and `watch` are
    seconds between looks for turns to begin again, and for dead processes, turns stopped elsewhere and events that
    nobody does; `limit` bounds a turn. A turn that begins for the first time waits for neither."""

    executor: str = "starwatch-0"
    poll: float = 1.0
    watch: float = 2.0
    limit: float = 900.0
    threads: int = 8
    max_running: int = 64
    version: str = VERSION
    most_bytes: int = MOST_BYTES


class Ref(TypedDict, total=False):
    """What DBOS keeps of a worker: the lanes that it is at work in. Workers of earlier versions had one `lane`."""

    lanes: list[str]
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
    return url.set(drivername="postgresql", query={"options": FROZEN, **url.query})


class DurableTurns:
    """A `TurnEngine`. One per process, as DBOS is; open it with `durable_turns`."""

    def __init__(self, work: Work, inbox: StoredInbox, steps: Steps, blobs: Blobs, options: DurableOptions) -> None:
        self.inbox = inbox
        self.running = Running(work, inbox, options.limit)
        self.options = options
        self._shelf = Shelf(inbox, steps, blobs, self.running, options.version)
        self._workers = Batches(_start)
        self._lanes = Lanes(self._begin, options.max_running, apart=APART)
        self._waiting = 0
        self._closed = False

    async def submit(self, event: Event) -> bool:
        """See `TurnEngine`. Raises StoreUnwritable when nothing can be kept."""
        if self._closed or self._waiting >= MAX_WAITING:
            raise TurnsFull("I have too much to do at the moment. Please ask again in a few minutes.")
        sight = await self.inbox.put(event)
        if sight is not Sight.OLD:
            self._waiting += 1
            self._lanes.wake(lane(event))
        return sight is Sight.NEW

    async def _begin(self, name: str) -> None:
        """A worker for the next event of the lane. Should the process end before it is written down, the event is
        found waiting."""
        await self._workers.run(name)

    async def do(self, names: Sequence[str], worker: str) -> None:
        """One worker's work: the next event of each lane, side by side. Raises CancelledError when any of them is to
        be gone on with by whoever takes the worker up next: for the others it finds nothing left to do then."""
        ended = await asyncio.gather(*(self._do(name, worker) for name in names), return_exceptions=True)
        for fault in ended:
            if fault is not None:
                raise fault

    async def _do(self, name: str, worker: str) -> None:
        more = False
        self._lanes.begun(name)
        try:
            while True:
                try:
                    more = await self.running.run(name, worker, lambda claim: TurnJournal(claim, self._shelf))
                    return
                except Exception:  # the outermost edge: a worker that ended here would leave its event claimed
                    log.exception("a turn could not be begun or ended; trying again", lane=name)
                    await asyncio.sleep(self.options.watch)
        finally:
            self._lanes.ended(name, more)
            if (suspect := self.inbox.next_suspect()) is not None:
                self._lanes.wake(suspect)

    def ahead(self, event: Event) -> int:
        """See `TurnEngine`."""
        return self._lanes.place(lane(event))

    @property
    def load(self) -> Mapping[str, int]:
        """How many turns are under way in this process, and how many events wait in all, as of the last look."""
        return {"running": len(self.running.turns), "waiting": self._waiting}

    async def stop(self, thread: str) -> Stopped:
        """See `TurnEngine`. A turn in another process ends when that one looks, within `watch` seconds."""
        turns, stopped = await self.inbox.stop(thread)
        self.running.stop(turns)
        # one that waits for people has nobody at work who would end it
        self.wake(thread)
        return stopped

    def wake(self, thread: str) -> None:
        """See `TurnEngine`. A process that is not told so finds out by itself, within `watch` seconds."""
        self._lanes.wake(thread)

    async def edit(self, key: str, text: str) -> bool:
        """See `TurnEngine`."""
        return await self.inbox.edit(key, text)

    async def under_way(self, key: str) -> bool:
        """See `TurnEngine`."""
        return await self.inbox.under_way(key)

    async def heard(self, key: str) -> Question | None:
        """See `TurnEngine`."""
        return await self.inbox.heard(key)

    async def withdraw(self, key: str) -> bool:
        """See `TurnEngine`."""
        done, turn = await self.inbox.withdraw(key)
        self.running.stop([turn])
        if turn and turn not in self.running.turns and (name := await self.inbox.lane_of(turn)):
            self.wake(name)
        return done

    async def close(self, seconds: float) -> int:
        """See `TurnEngine`. What was cut off goes on in the next process."""
        self._closed = True
        await self._lanes.close()
        return await self.running.close(seconds)

    async def watch(self, presence: Presence) -> None:
        """Look for events that nobody does, turns that were stopped elsewhere and dead processes, until cancelled."""
        patience = 0.0
        while True:
            try:
                await self._look(patience)
                await self._adopt(presence)
            except Exception:  # the outermost edge of a task of its own: the next look may succeed
                log.exception("looking after the turns of other processes failed")
            # at the start all that waits was left behind; later it may be another process that is about to do it
            patience = self.options.watch
            await asyncio.sleep(self.options.watch)

    async def _look(self, patience: float) -> None:
        self._waiting = await self.inbox.waiting()
        if self._waiting and (room := self._lanes.room):
            for name in await self.inbox.idle(patience, room):
                self._lanes.found(name)
        if turns := self.running.turns:
            self.running.stop(await self.inbox.stopping(turns))

    async def _adopt(self, presence: Presence) -> None:
        pending = await DBOS.list_workflows_async(status="PENDING", load_input=False, load_output=False, limit=10_000)
        executors = {str(turn.executor_id) for turn in pending if turn.executor_id}
        for executor in executors - {self.options.executor}:
            if await presence.take(executor):
                try:
                    adopted = await asyncio.to_thread(_recover, executor)
                    log.warning("took over the turns of a dead process", executor=executor, turns=adopted)
                finally:
                    await presence.give_back(executor)


def _recover(executor: str) -> int:
    # not public, hence the narrow version of DBOS and a test that kills
    return len(DBOS._recover_pending_workflows([executor]))


_engines: list[DurableTurns] = []
"""The engine of this process while it is open: DBOS calls workflows by their names, with nothing else in hand."""


@DBOS.workflow(name="turn", max_recovery_attempts=ANY_NUMBER)
async def turn_workflow(ref: Ref) -> None:
    """One worker, as DBOS calls it, first or again."""
    if not _engines or (turn := DBOS.workflow_id) is None:
        raise asyncio.CancelledError
    await _engines[-1].do(ref.get("lanes") or [ref["lane"]], turn)


async def _start(lanes: Sequence[str]) -> Sequence[Outcome[None]]:
    """One worker for all lanes that are to be begun at this moment: for DBOS that is one turn."""
    with SetWorkflowID(f"worker:{uuid4().hex}"):
        await DBOS.start_workflow_async(turn_workflow, Ref(lanes=[*lanes]))
    return [Outcome() for _ in lanes]


@asynccontextmanager
async def durable_turns(
    work: Work, inbox: StoredInbox, blobs: Blobs, address: URL, options: DurableOptions | None = None
) -> AsyncIterator[DurableTurns]:
    """The engine at work on the DBOS tables at `address`, made when missing, while the context is open.

    Raises OperatorError when a process with this executor id is alive, or the database cannot be used.
    """
    options = options or DurableOptions()
    async with present(address, options.executor) as presence:
        engine = DurableTurns(work, inbox, Steps(inbox.database), blobs, options)
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
            # DBOS put its own in this place, and ends it now; others still have to write behind us
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(thread_name_prefix="after turns"))
            await asyncio.to_thread(DBOS.destroy)


class _Unhurried(sqlite3.Connection):
    """Leaves it to the write-ahead journal to be on disk in time: a killed process loses nothing, and a machine that
    loses power its last commits. DBOS would wait for the disk at each step."""

    def __init__(self, *arguments: Any, most_bytes: int, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.execute("PRAGMA synchronous=NORMAL")
        (page,) = self.execute("PRAGMA page_size").fetchone()
        self.execute(f"PRAGMA max_page_count={most_bytes // page}")


async def _launched(address: URL, options: DurableOptions) -> DBOS:
    if address.get_backend_name() == "sqlite":
        with contextlib.closing(sqlite3.connect(str(address.database))) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
    config = DBOSConfig(
        name="starwatch",
        system_database_url=address.render_as_string(hide_password=False),
        application_version=WORKERS,
        executor_id=options.executor,
        serializer=DBOSPortableJSONSerializer(),
        max_executor_threads=options.threads,
        notification_listener_polling_interval_sec=min(options.poll, 0.1),
        log_level="ERROR",
    )
    if address.get_backend_name() == "sqlite":
        config["db_engine_kwargs"] = {"connect_args": {"factory": partial(_Unhurried, most_bytes=options.most_bytes)}}
    try:
        dbos = DBOS(config=config)
        _log_as_we_do()
        # by this queue DBOS begins again what a dead process left; its own pace is not to be set otherwise
        dbos._registry.get_internal_queue()._polling_interval_sec = options.poll
        DBOS.launch()
    except DBOSException as error:
        raise SettingsError(f"STARWATCH_DATABASE_URL: the queue of turns cannot be opened ({error})") from None
    return dbos


def _log_as_we_do() -> None:
    """DBOS writes to stderr by itself; its lines belong into the process's own log."""
    logger = logging.getLogger("dbos")
    logger.handlers.clear()
    logger.propagate = True
