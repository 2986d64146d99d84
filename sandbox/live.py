"""One simulated cluster as its own front end would show it: its nodes and running queries, from its newest metrics.

A client that logs in as `live:` and the first six or more characters of a cluster's UUID (with the reader's password)
stands before that cluster: SHOW FRONTENDS, BACKENDS, COMPUTE NODES and PROC answer for it, and it can read no table.
"""

from __future__ import annotations

import datetime as dt
import random
import uuid
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from sandbox.errors import StatementError
from sandbox.listing import Line, Listing

USER = "live:"
"""What the name of such a user begins with."""

_LEAST_PREFIX = 6
_MOST_QUERIES = 20
_GB = 1e9
_GIB = 1024.0**3
_MACHINES = """
SELECT
  any_value(c.cluster_type), any_value(i.sr_version),
  coalesce(sum(f.vm_count) FILTER (WHERE n.type = 'FE'), 1), coalesce(sum(f.vm_count) FILTER (WHERE n.type <> 'FE'), 1),
  any_value(v.memory_gb) FILTER (WHERE n.type <> 'FE'), any_value(v.vcpu) FILTER (WHERE n.type <> 'FE')
FROM byoc.clusters AS c
LEFT JOIN byoc.cluster_info AS i ON i.cluster_id = c.biz_id
LEFT JOIN byoc.resource AS r ON r.cluster_id = c.biz_id
LEFT JOIN byoc.resource_node AS n ON n.resource_id = r.resource_id
LEFT JOIN byoc.resource_node_conf AS f ON f.resource_node_id = n.resource_node_id AND f.in_use
LEFT JOIN byoc.vm_category AS v ON v.vm_category_id = f.vm_category_id
WHERE c.biz_id = $1
"""
_NEWEST = """
SELECT metric_name, arg_max(last_value, snapshot_hour) FROM metrics.amv_hourly_snapshots_v1
WHERE cluster_id = $1 GROUP BY metric_name
"""
_FRONTENDS = (
    *("Id", "Name", "IP", "EditLogPort", "HttpPort", "QueryPort", "RpcPort", "Role", "ClusterId", "Join", "Alive"),
    *("ReplayedJournalId", "LastHeartbeat", "IsHelper", "ErrMsg", "StartTime", "Version"),
)
_ADDRESS = ("IP", "HeartbeatPort", "BePort", "HttpPort", "BrpcPort", "LastStartTime", "LastHeartbeat")
_BACKENDS = (
    *("BackendId", *_ADDRESS, "Alive", "SystemDecommissioned", "ClusterDecommissioned", "TabletNum"),
    *("DataUsedCapacity", "AvailCapacity", "TotalCapacity", "UsedPct", "MaxDiskUsedPct", "ErrMsg", "Version"),
    *("DataTotalCapacity", "DataUsedPct", "CpuCores", "MemLimit", "NumRunningQueries", "MemUsedPct", "CpuUsedPct"),
    *("DataCacheMetrics", "Location", "StatusCode"),
)
_COMPUTE_NODES = (
    *("ComputeNodeId", *_ADDRESS, "Alive", "SystemDecommissioned", "ClusterDecommissioned", "ErrMsg", "Version"),
    *("CpuCores", "MemLimit", "NumRunningQueries", "MemUsedPct", "CpuUsedPct", "DataCacheMetrics", "HasStoragePath"),
    *("StarletPort", "WorkerId", "WarehouseName", "TabletNum", "StatusCode"),
)
_CURRENT_QUERIES = (
    *("StartTime", "feIp", "QueryId", "ConnectionId", "Database", "User", "ScanBytes", "ScanRows", "MemoryUsage"),
    *("DiskSpillSize", "CPUTime", "ExecTime", "ExecProgress", "ExecState", "Warehouse", "CustomQueryId"),
    "ResourceGroup",
)


def find(connection: duckdb.DuckDBPyConnection, user: str) -> str | None:
    """The UUID of the cluster that the user name stands before; None when it means none or several."""
    prefix = user.removeprefix(USER).lower()
    if not user.startswith(USER) or len(prefix) < _LEAST_PREFIX:
        return None
    sql = "SELECT biz_id FROM byoc.clusters WHERE starts_with(biz_id, $1) LIMIT 2"
    # A cursor of its own: logins happen while sessions run on theirs. Two rows are enough to know it is ambiguous.
    found = connection.cursor().execute(sql, [prefix]).fetchall()
    return str(found[0][0]) if len(found) == 1 else None


def read(cursor: duckdb.DuckDBPyConnection, cluster: str, now: dt.datetime) -> Live:
    """The cluster as of its newest metrics; `now` is what its heartbeats show."""
    machines = cursor.execute(_MACHINES, [cluster]).fetchall()[0]
    values = cursor.execute(_NEWEST, [cluster]).fetchall()
    newest = {str(name): float(value) for name, value in values if value is not None}
    kind, version, frontends, workers, memory, cores = machines
    return Live(cluster, kind == "ELASTIC", version or "", int(frontends), int(workers), memory, cores, newest, now)


@dataclass(frozen=True, slots=True)
class Live:
    """The state of one cluster: the newest value of each metric; `memory_gb` and `cores` are those of a node."""

    cluster: str
    elastic: bool
    version: str
    frontend_count: int
    worker_count: int
    memory_gb: int | None
    cores: int | None
    metrics: Mapping[str, float]
    now: dt.datetime

    @property
    def lost(self) -> int:
        """How many BE or CN nodes do not answer: the share that `up` lacks."""
        nodes = self.frontend_count + self.worker_count
        return max(0, min(round((1 - self.metrics.get("up", 1.0)) * nodes), self.worker_count))

    def frontends(self) -> Listing:
        """SHOW FRONTENDS."""
        rows = [
            {
                "Id": str(number),
                "Name": f"fe-{number - 1}_9010",
                "IP": self._address(number),
                "EditLogPort": "9010",
                "HttpPort": "8030",
                "QueryPort": "9030",
                "RpcPort": "9020",
                "Role": "LEADER" if number == 1 else "FOLLOWER",
                "ClusterId": str(zlib.crc32(self.cluster.encode()) & 0x7FFFFFFF),
                "Join": "true",
                "Alive": "true",
                "ReplayedJournalId": f"{self.metrics.get('starrocks_fe_meta_log_count', 0):.0f}",
                "LastHeartbeat": self._time(),
                "IsHelper": "true",
                "ErrMsg": "",
                "StartTime": self._time(days=9),
                "Version": self.version,
            }
            for number in range(1, self.frontend_count + 1)
        ]
        return _listing(_FRONTENDS, rows)

    def backends(self) -> Listing:
        """SHOW BACKENDS: none in a cluster whose data live in the object store."""
        return _listing(_BACKENDS, [] if self.elastic else list(self._workers("BackendId")))

    def compute_nodes(self) -> Listing:
        """SHOW COMPUTE NODES: the workers of a cluster whose data live in the object store."""
        return _listing(_COMPUTE_NODES, list(self._workers("ComputeNodeId")) if self.elastic else [])

    def proc(self, path: str) -> Listing:
        """SHOW PROC of a path; raises 1064 for a path that is not offered."""
        listings = {
            "/frontends": self.frontends,
            "/backends": self.backends,
            "/compute_nodes": self.compute_nodes,
            "/current_queries": self._queries,
        }
        make = listings.get(path.rstrip("/"))
        if make is None:
            raise StatementError(1064, f"Unexpected exception: Proc path '{path[:80]}' doesn't exist", "42000")
        return make()

    def _workers(self, key: str) -> Iterator[dict[str, str]]:
        chance = random.Random(self.cluster)  # noqa: S311 - a figure per node, nothing secret
        for place in range(self.worker_count):
            # The first node carries the cluster's highest values, the last ones are those that are gone.
            share = 1.0 if place == 0 else chance.uniform(0.85, 1.0)
            alive = place < self.worker_count - self.lost
            yield {key: str(10_001 + place), **self._place(place, alive), **self._load(share, alive)}

    def _place(self, place: int, alive: bool) -> dict[str, str]:
        return {
            "IP": self._address(100 + place),
            "HeartbeatPort": "9050",
            "BePort": "9060",
            "HttpPort": "8040",
            "BrpcPort": "8060",
            "LastStartTime": self._time(days=9),
            "LastHeartbeat": self._time() if alive else self._time(hours=4),
            "Alive": "true" if alive else "false",
            "SystemDecommissioned": "false",
            "ClusterDecommissioned": "false",
            "ErrMsg": "" if alive else "java.net.ConnectException: Connection refused",
            "Version": self.version,
            "StatusCode": "OK" if alive else "DISCONNECTED",
            "StarletPort": "9070",
            "WorkerId": str(place + 1),
            "WarehouseName": "default_warehouse",
            "HasStoragePath": "true",
            "Location": "",
            "DataCacheMetrics": "N/A",
        }

    def _load(self, share: float, alive: bool) -> dict[str, str]:
        metrics = self.metrics
        total = metrics.get("starrocks_be_disks_total_capacity", 0.0) / self.worker_count
        used = total * min(metrics.get("starrocks_be_disks_data_used_pct", 0.0) * share, 100) / 100
        memory = (self.memory_gb or 0) * _GIB
        taken = metrics.get("starrocks_be_process_mem_bytes", 0.0) * share
        running = metrics.get("starrocks_be_pip_query_ctx_cnt", 0.0) * share / self.worker_count
        return {
            "TabletNum": f"{metrics.get('starrocks_fe_tablet_num', 0) / self.worker_count:.0f}",
            "DataUsedCapacity": _gigabytes(used * 0.96),
            "AvailCapacity": _gigabytes(total - used),
            "TotalCapacity": _gigabytes(total),
            "UsedPct": _percent(used, total),
            "MaxDiskUsedPct": _percent(used, total),
            "DataTotalCapacity": _gigabytes(total - used * 0.04),
            "DataUsedPct": _percent(used * 0.96, total),
            "CpuCores": str(self.cores or 0),
            "MemLimit": f"{memory * 0.9 / _GIB:.3f}GB",
            "NumRunningQueries": f"{running if alive else 0:.0f}",
            "MemUsedPct": _percent(taken if alive else 0, memory),
            "CpuUsedPct": f"{metrics.get('starrocks_be_cpu_util_percent', 0) * share if alive else 0:.1f} %",
        }

    def _queries(self) -> Listing:
        chance = random.Random(f"{self.cluster} queries")  # noqa: S311 - a figure per query, nothing secret
        count = min(round(self.metrics.get("starrocks_be_pip_query_ctx_cnt", 0.0)), _MOST_QUERIES)
        slow = self.metrics.get("starrocks_fe_query_latency_ms_p99", 500.0) / 1000
        return _listing(_CURRENT_QUERIES, [self._query(chance, slow) for _ in range(count)])

    def _query(self, chance: random.Random, slow: float) -> dict[str, str]:
        seconds = slow * chance.uniform(0.1, 2)
        return {
            "StartTime": (self.now - dt.timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S"),
            "feIp": self._address(1),
            "QueryId": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            "ConnectionId": str(chance.randrange(1, 100_000)),
            "Database": chance.choice(("sales", "events", "ads")),
            "User": chance.choice(("etl", "dashboard", "analyst")),
            "ScanBytes": f"{chance.uniform(1, 900):.3f} MB",
            "ScanRows": f"{chance.randrange(1_000, 9_000_000)} rows",
            "MemoryUsage": f"{chance.uniform(5, 900):.3f} MB",
            "DiskSpillSize": "0.000 B",
            "CPUTime": f"{seconds * chance.uniform(0.5, 8):.3f} s",
            "ExecTime": f"{seconds:.3f} s",
            "ExecProgress": f"{chance.uniform(1, 99):.2f} %",
            "ExecState": "RUNNING",
            "Warehouse": "default_warehouse",
            "CustomQueryId": "",
            "ResourceGroup": "default_wg",
        }

    def _address(self, host: int) -> str:
        number = zlib.crc32(self.cluster.encode())
        return f"10.{number & 0xFF}.{number >> 8 & 0xFF}.{host % 255}"

    def _time(self, **ago: int) -> str:
        return (self.now - dt.timedelta(**ago)).strftime("%Y-%m-%d %H:%M:%S")


def _listing(columns: tuple[str, ...], rows: Sequence[Mapping[str, str]]) -> Listing:
    lines: tuple[Line, ...] = tuple(tuple(row[column] for column in columns) for row in rows)
    return Listing(columns, lines)


def _gigabytes(count: float) -> str:
    return f"{count / _GB:.3f} GB"


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.2f} %" if whole else "0.00 %"
