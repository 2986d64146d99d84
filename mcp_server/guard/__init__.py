"""The guard: lets single, bounded reads of the fleet's tables pass, and hands back the only text to run."""

from mcp_server.guard.admission import Admitted, Guard

__all__ = ["Admitted", "Guard"]
