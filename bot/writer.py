"""The writer account: what Starwatch itself stores in the warehouse. Nothing that a model says can reach it."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiomysql

from agent.investigation.result import Investigation
from agent.patrol.evidence import Evidence
from agent.patrol.report import PatrolReport
from agent.patrol.rules import load_rules
from bot.cases import INSERT_INVESTIGATION, investigation_row
from bot.errors import WarehouseError
from bot.login import logged_in
from bot.scores import INSERT_RISK, INSERT_SCORE, risk_rows, score_rows
from bot.warehouse import Address

SECONDS = 30
"""Time limit of one INSERT."""

INSERT_REPORT = """
INSERT INTO alerts.patrol_reports (report_id, created_at, report_type, fleet_narrative, clusters_flagged, predictions,
  customer_summaries, recommended_actions, fleet_summary, provider, model, input_tokens, output_tokens, tool_rounds,
  duration_seconds, triggered_by)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def report_row(report: PatrolReport, summary: Mapping[str, Any]) -> tuple[Any, ...]:
    """The report as the values of INSERT_REPORT; sections are JSON text, times UTC without a zone."""
    whole = report.to_json()
    created = datetime.fromisoformat(report.created_at).astimezone(UTC).replace(tzinfo=None)
    sections = ("flagged_clusters", "predictions", "customer_summaries", "recommended_actions")
    return (
        report.report_id,
        created,
        report.report_type,
        report.fleet_narrative,
        *(json.dumps(whole[section], ensure_ascii=False) for section in sections),
        json.dumps(summary, ensure_ascii=False, default=str),
        report.analyst,
        report.model,
        report.usage.input_tokens,
        report.usage.output_tokens,
        report.usage.rounds,
        round(report.usage.seconds, 3),
        report.triggered_by,
    )


class NoWriter:
    """Used when no writer account is configured: reports go to the channel and to Starwatch's own database alone."""

    async def write(self, report: PatrolReport, summary: Mapping[str, Any]) -> None:
        """Stores nothing."""

    async def write_scores(self, evidence: Evidence) -> None:
        """Stores nothing."""

    async def write_investigation(self, investigation: Investigation) -> None:
        """Stores nothing."""


class WarehouseWriter:
    """Stores reports and investigations through its own short-lived connections; implements the patrol's `ReportWriter`
    and the `InvestigationWriter`."""

    def __init__(self, address: Address) -> None:
        if address.writer is None:
            raise WarehouseError("STARWATCH_WRITER_USER: is missing; reports need an account that may INSERT them")
        self._address = address
        self._account = address.writer

    async def write(self, report: PatrolReport, summary: Mapping[str, Any]) -> None:
        """Insert one report. Raises WarehouseError when the warehouse cannot be reached or refuses."""
        async with self._connected("store the report") as connection, connection.cursor() as cursor:
            await cursor.execute(f"SET query_timeout = {SECONDS}")
            await cursor.execute(INSERT_REPORT, report_row(report, summary))

    async def write_scores(self, evidence: Evidence) -> None:
        """Insert the score and the risk level of every active cluster as of one look; the same look twice is as once.
        Raises WarehouseError."""
        rules = load_rules()
        async with self._connected("store scores") as connection, connection.cursor() as cursor:
            await cursor.execute(f"SET query_timeout = {SECONDS}")
            # one statement each: a fleet of a thousand rows of single INSERTs would be a thousand versions
            for statement, rows in (
                (INSERT_SCORE, score_rows(evidence, rules)),
                (INSERT_RISK, risk_rows(evidence, rules)),
            ):
                if rows:
                    await cursor.executemany(statement, rows)

    async def write_investigation(self, investigation: Investigation) -> None:
        """Insert one investigation; the same id twice is one row. Raises WarehouseError."""
        async with self._connected("store the investigation") as connection, connection.cursor() as cursor:
            await cursor.execute(f"SET query_timeout = {SECONDS}")
            await cursor.execute(INSERT_INVESTIGATION, investigation_row(investigation))

    async def check(self) -> None:
        """Log in and out. Raises WarehouseError when that fails."""
        async with self._connected("log in"):
            pass

    @asynccontextmanager
    async def _connected(self, purpose: str) -> AsyncIterator[aiomysql.Connection]:
        try:
            async with logged_in(self._address.host, self._address.port, self._account) as connection:
                yield connection
        except (aiomysql.MySQLError, OSError) as error:
            raise self._refused(purpose, error) from error

    def _refused(self, what: str, error: Exception) -> WarehouseError:
        code = error.args[0] if error.args else type(error).__name__
        return WarehouseError(
            f"writer account {self._account.user!r} cannot {what} at {self._address.host}:{self._address.port} "
            f"(error {code}); check STARWATCH_WRITER_USER, its password and its INSERT grants on alerts"
        )
