"""Where the warehouse is and how much one statement may cost."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from mcp_server.endpoints import LiveEndpoint


class WarehouseConfig(BaseModel):
    """A read-only account on a StarRocks warehouse (MySQL protocol) and the limits of a statement."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=9030, ge=1, le=65535)
    user: str
    password: SecretStr = SecretStr("")
    timeout_seconds: float = Field(default=30.0, gt=0, le=600)
    """Wall clock of one statement; then it is killed."""
    connect_seconds: float = Field(default=10.0, gt=0, le=60)
    max_rows: int = Field(default=500, ge=1, le=20_000)
    """Rows given when a caller names no number."""
    max_bytes: int = Field(default=16 * 1024 * 1024, ge=1_024)
    """Size of a result, as the sum of its cells; rows beyond are not fetched."""
    max_cell_chars: int = Field(default=65_536, ge=64)
    """Length of one cell in structured content; longer ones are cut and say so."""
    pool_size: int = Field(default=8, ge=1, le=64)
    idle_seconds: float = Field(default=60.0, ge=0)
    """A connection that rested longer than this is pinged before use."""
    live: Mapping[str, LiveEndpoint] = Field(default_factory=dict)
    """Cluster UUID, lower case → the cluster's own front end, where it may be asked."""
