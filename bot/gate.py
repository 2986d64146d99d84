"""The gate: what concerns every event, before it waits and again before a handler sees it."""

import hashlib
import time
from collections import deque
from collections.abc import Callable, Sequence

import structlog

from agent.progress import Spent
from bot.admission import Admission, Role, Roles, payers, place_of
from bot.bursts import Bursts
from bot.prices import Prices, load_prices, tokens
from bot.store import Store, StoreFault, StoreUnwritable, Usage
from bot.turns import TurnEngine
from handlers.deps import Locales
from handlers.locale import english
from handlers.purse import Leave, Thrift
from handlers.surface import (
    Control,
    Deleted,
    Edited,
    Event,
    Mark,
    PatrolRequest,
    Press,
    Question,
    Stop,
    Surface,
    SurfaceError,
)
from handlers.views import note_document

__all__ = ["BY_CLOCK", "LOOP", "Admission", "Gate", "Role", "Roles"]

log = structlog.get_logger()

BY_CLOCK = "clock"
"""The user of what the schedule asks for; it is never refused, only made thrifty."""

CHANGED = "I have changed my question. It reads now, in full: {text}"
"""How a turn under way is told; for the model, in the words of whoever asked."""

TAKEN_BACK = "I have taken this message of mine back; go on as if I had not sent it: {text}"
"""The same for a message that is gone."""

LOOP = 30
"""Events of one thread in a minute beyond which it is taken for two programs that talk to each other."""
THREADS = 10_000


class Gate:
    """Stands between the surface and the queue, and between the queue and the handlers."""

    def __init__(
        self,
        turns: Callable[[], TurnEngine],
        store: Store,
        surface: Surface,
        roles: Roles,
        admission: Admission,
        clock: Callable[[], float] = time.monotonic,
        prices: Prices | None = None,
        locale: Locales = english,
    ) -> None:
        self._turns = turns
        self._store = store
        self._surface = surface
        self._roles = roles
        self._admission = admission
        self._clock = clock
        self._prices = prices or load_prices()
        self._locale = locale
        self._bursts = Bursts(clock)
        self._counted: dict[str, None] = {}
        self._hasty: dict[str, None] = {}
        self._lately: dict[str, deque[float]] = {}

    async def admit(self, event: Event) -> bool:
        """Take an event in; False when it is none of our business or was seen before. Quick: nobody outside of our own
        database is asked. Raises TurnsRefused, so that the platform delivers it again."""
        if not self._listed(event) or self._loops(event) or not self._in_time(event):
            return False
        try:
            if not isinstance(event, PatrolRequest):
                # at once, so that what is said next in this thread needs no mention even while the first turn runs
                await self._store.join(event.thread)
            return await self._turns().submit(event)
        except StoreUnwritable as fault:
            log.error("an event could not be kept", event_key=event.key, why=str(fault))
            locale = await self._locale(place_of(event), event.user)
            said = locale.say(f"unwritable.{fault.cause.name.lower()}")
            await self._say(place_of(event), said, Mark(event.key, "unwritable", repeated=True))
            return False

    async def act(self, control: Control) -> None:
        """Stop, change or take back what waits or runs. Whoever may not ask may not do that either. The list of
        channels is not looked at: nothing was let in from any other, so there is nothing to be changed there."""
        turns = self._turns()
        # Lark does not say who took a message back; none but its author and administrators can
        unnamed = isinstance(control, Deleted) and not control.user
        if not unnamed and not self._admission.lists(control.user):
            return
        match control:
            case Edited():
                if not await turns.edit(control.key, control.text) and await turns.under_way(control.key):
                    await self._changed(control)
            case Deleted():
                # before the turn is cut off, which looks for it: what was taken back needs no last words
                await self._store.first_sight(_taken_back(control.key))
                if not await turns.withdraw(control.key) and (said := await turns.heard(control.key)) is not None:
                    await self._unsaid(said)
            case Stop():
                await self._stop(control)

    async def _changed(self, control: Edited) -> None:
        """Tell the turn that answers a question that it was changed: as one more message, which it reads between two
        rounds, or which is answered next when it came too late for that."""
        version = hashlib.sha256(control.text.encode()).hexdigest()[:16]
        change = Question(f"{control.key}#{version}", control.thread, control.user, CHANGED.format(text=control.text))
        if not await self._turns().submit(change):
            return
        locale = await self._locale(control.thread, control.user)
        try:
            await self._surface.whisper(control.thread, control.user, note_document(locale.say("edit.seen")))
        except SurfaceError as error:
            log.warning("that a change was seen could not be shown", thread=control.thread, why=str(error))

    async def _unsaid(self, said: Question) -> None:
        """Tell the turn that heard a message that it was taken back."""
        told = TAKEN_BACK.format(text=said.text)
        await self._turns().submit(Question(f"{said.key}#taken-back", said.thread, said.user, told))

    async def _stop(self, control: Stop) -> None:
        if not await self._store.first_sight(f"stop:{control.key}"[:255]):
            return
        stopped = await self._turns().stop(control.thread)
        # where we answer nobody we say nothing either
        if not stopped.running and self._admission.covers(control.thread, direct=control.direct):
            locale = await self._locale(control.thread, control.user)
            said = locale.say("stop.dropped" if stopped.waiting else "stop.nothing", count=stopped.waiting)
            await self._say(control.thread, said, Mark(control.key, "stop", repeated=False))
            await self._quiet(control.thread)

    async def hears(self, press: Press) -> bool:
        """Whether a press may be acted on: somebody on the lists pressed it, for the first time. Quick, and durable:
        the same press is heard once, over restarts and replicas. Raises StoreUnwritable."""
        # a conversation with us alone is open to everybody for words, not for buttons
        if not self._admission.lists(press.user):
            return False
        if not self._admission.covers(press.thread, direct=not press.message):
            return False
        return await self._store.first_sight(f"press:{press.key}"[:255])

    async def may(self, user: str) -> bool:
        """Whether somebody's role lets them ask. Raises SurfaceError when it cannot be found out."""
        return await self._roles.of(user) in self._admission.roles

    async def leave(self, event: Event) -> Leave:
        """Whether and how an event is answered, asked right before its handler. Raises SurfaceError when the person's
        role cannot be found out."""
        if event.user == BY_CLOCK:
            return Leave(thrift=await self._saving(event))
        # the list once more: who is alone with us was let through to here, to be told
        if not self._admission.lists(event.user) or not await self.may(event.user):
            return await self._politely(event)
        if event.key in self._hasty:
            del self._hasty[event.key]
            return Leave(allowed=False, say="refused.minute")
        begun = await self._store.usage.begin(event.key, payers(event), self._admission.limits)
        if begun.full is not None:
            log.warning("a limit of the day is reached", scope=begun.full.scope, name=begun.full.name)
            return Leave(allowed=False, say=f"refused.{begun.full.scope}")
        return Leave(thrift=self._admission.thrift(begun.share))

    async def _saving(self, event: Event) -> Thrift:
        """How thrifty the clock has to be: past the workspace's limit of tokens or money rules do what it asks for."""
        workspace = next(payer for payer in payers(event) if payer.scope == "workspace")
        limit = self._admission.limits.get(workspace.scope, Usage())
        try:
            used = await self._store.usage.of([workspace])
        except StoreFault as fault:
            # one patrol beyond a limit is better than a slot without its report
            log.error("what was spent today cannot be read", event_key=event.key, why=str(fault))
            return ""
        thrift = self._admission.thrift(used[workspace].share(limit))
        if thrift:
            log.warning("the clock has to save", event_key=event.key, name=workspace.name, thrift=thrift)
        return thrift

    async def charge(self, event: Event, spent: Sequence[Spent]) -> None:
        """Note what an event's turn used, once; however the turn ended."""
        if not spent:
            return
        usage = Usage(tokens=tokens(spent), micro_dollars=self._prices.micro_dollars(spent))
        try:
            await self._store.usage.charge(event.key, payers(event), usage)
        except StoreFault as fault:
            # the answer stands in the thread: it is no worse for not having been counted
            log.error("what a turn used could not be noted", event_key=event.key, tokens=usage.tokens, why=str(fault))

    async def silent(self, event: Event) -> bool:
        """Whether a turn that was cut off needs no last words: its message was taken back."""
        return await self._store.saw(_taken_back(event.key))

    async def _politely(self, event: Event) -> Leave:
        """One line in a conversation with us alone, once; silence among others."""
        alone = isinstance(event, Question) and event.direct
        told = alone and await self._store.first_sight(f"not-listed:{event.user}")
        return Leave(allowed=False, say="refused.not_listed" if told else "")

    def _listed(self, event: Event) -> bool:
        if event.user == BY_CLOCK:
            return True
        direct = isinstance(event, Question) and event.direct
        return self._admission.covers(place_of(event), direct=direct) and (self._admission.lists(event.user) or direct)

    def _in_time(self, event: Event) -> bool:
        """Whether an event is not too much for a minute. The first one that is goes on, to be told so in its turn. One
        that is delivered again is not asked again."""
        if event.user == BY_CLOCK or event.key in self._counted:
            return True
        bursts = self._admission.bursts
        found = {self._bursts.count(payer.name, bursts.get(payer.scope, 0)) for payer in payers(event)}
        if found == {"fine"}:
            _note(self._counted, event.key)
            return True
        log.warning("somebody asks too fast", user=event.user, place=place_of(event))
        if "too fast" not in found:
            return False
        _note(self._hasty, event.key)
        return True

    def _loops(self, event: Event) -> bool:
        now, lately = self._clock(), self._lately.setdefault(place_of(event), deque(maxlen=LOOP))
        full = len(lately) == LOOP and now - lately[0] < 60
        lately.append(now)
        while len(self._lately) > THREADS:
            del self._lately[next(iter(self._lately))]
        if full:
            log.error("a thread is too busy to be people; its events are dropped", thread=place_of(event))
        return full

    async def _quiet(self, thread: str) -> None:
        """Take away the sign that something is being done: Slack's own stop button stays until it is told."""
        try:
            await self._surface.status(thread, "")
        except SurfaceError as error:
            log.warning("the status of a thread could not be cleared", thread=thread, why=str(error))

    async def _say(self, place: str, text: str, mark: Mark) -> None:
        try:
            await self._surface.post(place, note_document(text), mark)
        except SurfaceError as error:
            log.error("a refusal could not be posted", place=place, why=str(error))


def _note(keys: dict[str, None], key: str) -> None:
    keys[key] = None
    while len(keys) > THREADS:
        del keys[next(iter(keys))]


def _taken_back(key: str) -> str:
    return f"taken-back:{key}"[:255]
