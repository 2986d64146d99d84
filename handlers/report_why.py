"""Why a report flags a cluster, and why it stands where it stands: figures, rules, ranking, and the SQL behind them."""

from collections.abc import Iterator

from agent.patrol.report import Factors, FlaggedCluster, FlaggedFinding, PatrolReport
from agent.patrol.rules import number
from handlers.answers import fenced
from handlers.decisions import target_of
from handlers.deps import Deps
from handlers.document import Document, Note, Part, Prose
from handlers.figures import sentence, when
from handlers.locale import Locale
from handlers.markdown import line
from handlers.report_flag import MARKS, lowered, name_of
from handlers.surface import Press

_SQL = 18_000
"""Characters of SQL in one dialog; a card of Lark holds little more beside the rest."""


async def show_why(press: Press, deps: Deps) -> None:
    """A dialog with all that the flag rests on, for those who may see the whole fleet here. Raises ValueError for a
    value of no button of ours."""
    if (target := await target_of(press, press.value, deps)) is not None:
        document = why_document(target.cluster, target.kept.report, target.locale)
        await deps.surface.dialog(press, target.locale.say("why.title"), document)


def why_document(cluster: FlaggedCluster, report: PatrolReport, locale: Locale) -> Document:
    """The findings with value, limit, beginning, rule and receipt, why the cluster is ranked as it is, and each
    statement once."""
    name = name_of(cluster.cluster_name, cluster.cluster_id)
    parts: list[Part] = [Prose("\n\n".join(filter(None, (f"**{name}**", lowered(cluster, locale)))))]
    parts.extend(part for one in cluster.findings for part in _finding(one, locale))
    if cluster.factors is not None:
        parts.append(Prose(_ranking(cluster, cluster.factors, locale)))
    parts.extend(_statements(cluster, report, locale))
    return Document(line(cluster.cluster_name) or line(cluster.cluster_id), tuple(parts), locale.language)


def _finding(finding: FlaggedFinding, locale: Locale) -> Iterator[Part]:
    severity = locale.say(f"severity.{finding.severity}")
    yield Prose(f"{MARKS[finding.severity]} **{severity}**: {sentence(finding, locale)}")
    told = [locale.say("why.rule", rule=line(finding.rule))] if finding.rule else []
    if finding.since:
        told.append(locale.say("flag.since", when=when(finding.since, locale)))
    told.append(
        locale.say("why.query", query_id=line(finding.query_id)) if finding.query_id else locale.say("why.none")
    )
    yield Note(" · ".join(told))


def _ranking(cluster: FlaggedCluster, found: Factors, locale: Locale) -> str:
    """In one sentence and a line for each factor."""
    severity = locale.say(f"severity.{cluster.severity}")
    lines = [
        locale.say("why.health", factor=f"{found.health:.2f}"),
        locale.say("why.tier" if found.tiered else "why.tier.none", factor=f"{found.tier:g}", tier=cluster.tier),
        locale.say("why.impact", factor=f"{found.impact:.2f}", traffic=_traffic(found, locale)),
        locale.say("why.change", factor=f"{found.change:.2f}", news=_news(found, locale)),
    ]
    first = locale.say("why.rank", severity=severity, product=f"{found.product:.2f}")
    return "\n".join([first, "", *(f"- {one}" for one in lines)])


def _traffic(found: Factors, locale: Locale) -> str:
    if found.share is None or found.busy is None:
        return locale.say("why.traffic.none")
    return locale.say("why.traffic", share=number(100 * found.share), busy=number(found.busy))


def _news(found: Factors, locale: Locale) -> str:
    moved = locale.say(f"why.moved.{found.moved}" if found.moved else "why.moved.none")
    return moved if found.hours is None else locale.say("why.fresh", moved=moved, hours=number(found.hours))


def _statements(cluster: FlaggedCluster, report: PatrolReport, locale: Locale) -> Iterator[Part]:
    room = _SQL
    for query_id in dict.fromkeys(one.query_id for one in cluster.findings if one.query_id):
        if not (sql := report.receipts.get(query_id, "")):
            continue
        yield Note(line(query_id))
        yield Prose(fenced(sql[: max(room, 0)] or "…"))
        if len(sql) > room:
            yield Note(locale.say("why.cut", shown=f"{max(room, 0):,}", all=f"{len(sql):,}"))
        room -= len(sql)
