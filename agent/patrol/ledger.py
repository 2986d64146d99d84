"""The patrol's book of predictions: what is due is graded, what is foreseen is stated once, both are kept."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from agent.patrol import told
from agent.patrol.evidence import Evidence, label
from agent.patrol.finding import Outlook
from agent.patrol.predictions import HORIZONS, PredictionStore, Statement, stated, tallies
from agent.patrol.report import Prediction
from agent.patrol.rules import Rules
from agent.patrol.voice import ENGLISH

log = logging.getLogger(__name__)

_TOLD = 8
_LIKELY = 0.5


@dataclass(frozen=True, slots=True)
class Ledger:
    """Works without a store too; then every prediction is the first one."""

    store: PredictionStore | None = None

    async def open(self) -> Sequence[Statement]:
        """What waits to be graded; nothing when the store cannot say."""
        if self.store is None:
            return ()
        try:
            return await self.store.open()
        except Exception:  # whatever the store is, a book that cannot be read must not stop a report
            log.exception("the predictions could not be read")
            return ()

    async def settled(self, evidence: Evidence, rules: Rules, waiting: Sequence[Statement]) -> Evidence:
        """The evidence with its predictions and the record behind them; `waiting` are the statements of before."""
        try:
            past = () if self.store is None else await self.store.graded()
            # A patrol that is repeated finds its own grades among them.
            record = [*{one.key: one for one in (*past, *_final(evidence.graded))}.values()]
            new = tuple(_foreseen(evidence, record))
            closed = {one.key for one in evidence.graded if one.state != "open"}
            busy = {one.subject for one in waiting if one.key not in closed}
            if self.store is not None:
                await self.store.keep([*evidence.graded, *(one for one in new if one.subject not in busy)])
        except Exception:  # as above: what cannot be kept is still told
            log.exception("the predictions could not be kept")
            record, new = [], tuple(_foreseen(evidence, ()))
        return replace(evidence, predictions=tuple(_told(evidence, rules, new)), record=tallies(record))


def _final(graded: Sequence[Statement]) -> Iterator[Statement]:
    yield from (one for one in graded if one.state in {"hit", "missed"})


def _foreseen(evidence: Evidence, record: Sequence[Statement]) -> Iterator[Statement]:
    for outlook in _outlooks(evidence):
        about = Statement(
            outlook.cluster_id,
            outlook.dimension,
            outlook.limit,
            outlook.down,
            evidence.as_of,
            HORIZONS[0],
            0.0,
            0.0,
            "Low",
        )
        yield from stated(outlook.chances, about, record)


def _outlooks(evidence: Evidence) -> Iterator[Outlook]:
    """What is still ahead; a limit that is passed already is a finding and no prediction."""
    yield from (outlook for one in evidence.clusters for outlook in one.outlooks if outlook.hours > 0)


def _told(evidence: Evidence, rules: Rules, statements: Sequence[Statement]) -> Iterator[Prediction]:
    """One prediction for each cluster and dimension, soonest first."""
    outlooks = {(one.cluster_id, one.dimension): one for one in _outlooks(evidence)}
    names = {one.identity.cluster_id: label(one.identity) for one in evidence.clusters}
    grouped = groupby(statements, key=lambda one: (one.cluster_id, one.dimension))
    found = [(outlooks[subject], _headline(list(ours))) for subject, ours in grouped]
    for outlook, one in sorted(found, key=lambda pair: (pair[0].hours, pair[0].cluster_id))[:_TOLD]:
        yield _prediction(outlook, one, names, rules)


def _headline(statements: Sequence[Statement]) -> Statement:
    """The nearest horizon by which it is likely; else the farthest."""
    return next((one for one in statements if one.probability >= _LIKELY), statements[-1])


def _prediction(outlook: Outlook, one: Statement, names: Mapping[str, str], rules: Rules) -> Prediction:
    made = Prediction(
        "",
        one.label,
        cluster_id=one.cluster_id,
        dimension=one.dimension,
        threshold=one.threshold,
        horizon_hours=one.horizon,
        probability=one.probability,
        due=f"{one.due:%Y-%m-%d %H:%M}",
    )
    return replace(made, text=told.prediction(ENGLISH, rules, outlook, made, names[outlook.cluster_id]))
