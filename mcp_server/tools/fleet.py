"""Tools about the whole fleet: its state in one table, its open issues, what was found before."""

from typing import Annotated, Literal

from mcp.types import CallToolResult
from pydantic import Field

from mcp_server import replies
from mcp_server.door import Visit
from mcp_server.tools.moments import Zone, stored, told_in, zone_named

Severity = Literal["Critical", "Warning", "Info"]
ClusterName = Annotated[str, Field(description="Cluster UUID, its first 6 or more characters, or the cluster's name")]


class FleetTools:
    """Questions that name no cluster."""

    def __init__(self, door: Visit) -> None:
        self._door = door

    async def query_fleet_summary(self) -> CallToolResult:
        """Count the fleet's active clusters by type, tier, cloud, version, risk level and health class.

        Also counts silent clusters (no metrics for 3 h), clusters with alerts in 24 h (still firing: as of the newest
        alert row of the warehouse), and ongoing issues by severity. Start here for any question about the whole fleet.
        """
        return replies.rows(await self._door.ask("fleet_summary", now=stored(self._door.now())))

    async def query_open_issues(
        self,
        severity: Annotated[Severity | None, Field(description="Only this severity")] = None,
        limit: Annotated[int, Field(ge=1, le=500, description="Issues to return")] = 50,
        zone: Zone = "",
    ) -> CallToolResult:
        """List the ongoing issues, critical ones and tier S and A customers first, with triage state and assignee.

        Use it to learn what is known to be wrong. alert_count counts repeats, not incidents.
        """
        place = zone_named(zone)
        return replies.rows(told_in(place, await self._door.ask("open_issues", severity=severity, limit=limit)))

    async def query_agent_memory(
        self,
        cluster: Annotated[str | None, Field(description="Only this cluster (UUID, prefix or name)")] = None,
        limit: Annotated[int, Field(ge=1, le=100, description="Findings to return")] = 10,
        zone: Zone = "",
    ) -> CallToolResult:
        """Recall earlier findings, newest first: past investigations with cause and actions, and flags of past patrols.

        Use it before explaining a problem: it may have happened before.
        """
        place = zone_named(zone)
        found = await self._door.directory.find(cluster) if cluster else None
        # A patrol's flags stand together in one row for the whole fleet; no account can be given its part of them.
        narrowed = self._door.scope.accounts is not None
        query = "investigations" if narrowed else "agent_memory"
        result = await self._door.ask(query, cluster=found.id if found else None, limit=limit)
        return replies.rows(told_in(place, result), "without the flags of past patrols" if narrowed else "")
