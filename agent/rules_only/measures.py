"""What can be measured of a cluster: the people's words for it, its unit, and the SQL that computes it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Unit = Literal["%", "ms", "GiB", "per hour", "per second", "records", ""]


@dataclass(frozen=True, slots=True)
class Measure:
    """One measurable thing. `key` is its dimension in the rules. `value` aggregates the snapshot rows of any
    hours of one cluster; a counter has none: the increases of `metrics[0]`, or their share of `metrics[1]`'s."""

    key: str
    noun: str
    unit: Unit
    metrics: tuple[str, ...]
    words: re.Pattern[str]
    value: str = ""

    @property
    def is_counter(self) -> bool:
        """Whether the measure is built from increases of cumulative series."""
        return not self.value


def _of(metric: str, column: str = "avg_value", fold: str = "avg") -> str:
    return f"{fold}(CASE WHEN metric_name = '{metric}' THEN {column} END)"


def _gauge(
    key: str, noun: str, unit: Unit, metric: str, words: str, *, peak: bool = False, divisor: int = 1
) -> Measure:
    value = _of(metric, "max_value", "max") if peak else _of(metric)
    return Measure(key, noun, unit, (metric,), re.compile(words), f"{value} / {divisor}" if divisor > 1 else value)


def _ratio(key: str, noun: str, part: str, whole: str, words: str, *, inverse: bool = False) -> Measure:
    share = f"{_of(part)} / nullif({_of(whole)}, 0)"
    value = f"100 * (1 - {share})" if inverse else f"100 * {share}"
    return Measure(key, noun, "%", (part, whole), re.compile(words), value)


def _counter(key: str, noun: str, unit: Unit, metrics: tuple[str, ...], words: str) -> Measure:
    return Measure(key, noun, unit, metrics, re.compile(words))


# Order matters: the first measure whose words are found is the one that is meant.
MEASURES: tuple[Measure, ...] = (
    _gauge(
        "fe_journal_write_latency_ms",
        "FE journal write latency p99",
        "ms",
        "starrocks_fe_journal_write_latency_ms_p99",
        r"journal|bdb\b|日志写入",
    ),
    _ratio(
        "fe_heap_used_pct",
        "FE heap used",
        "jvm_heap_size_bytes_used",
        "jvm_heap_size_bytes_max",
        r"\bheap|\bjvm\b|堆内存|堆",
    ),
    _gauge(
        "be_process_mem_gb",
        "BE process memory",
        "GiB",
        "starrocks_be_process_mem_bytes",
        r"process mem\w*|be mem\w*|进程内存",
        peak=True,
        divisor=2**30,
    ),
    _ratio(
        "memory_available_pct",
        "memory available",
        "node_memory_MemAvailable_bytes",
        "node_memory_MemTotal_bytes",
        r"\bmem\b|\bmemory\b|\bram\b|\boom\b|内存",
    ),
    _ratio(
        "disk_used_pct",
        "disk used",
        "starrocks_be_disks_avail_capacity",
        "starrocks_be_disks_total_capacity",
        r"\bdisks?\b|\bstorage\b|\bvolumes?\b|磁盘|硬盘|存储",
        inverse=True,
    ),
    _gauge(
        "compaction_score",
        "compaction score",
        "",
        "starrocks_fe_max_tablet_compaction_score",
        r"\bcompact(?:ion|ions|ing)?\b|合并分数|合并|compaction",
        peak=True,
    ),
    _counter(
        "error_share_pct",
        "query error share",
        "%",
        ("starrocks_fe_query_err", "starrocks_fe_query_total"),
        r"error (?:rate|share|ratio|percent\w*)|failure rate|错误率|失败率",
    ),
    _counter(
        "query_timeouts_7d",
        "query timeouts",
        "per hour",
        ("starrocks_fe_query_timeout",),
        r"\btime-?outs?\b|timed out|超时",
    ),
    _counter(
        "slow_queries_7d", "slow queries", "per hour", ("starrocks_fe_slow_query",), r"\bslow quer(?:y|ies)\b|慢查询"
    ),
    _counter(
        "internal_errors_7d",
        "internal query errors",
        "per hour",
        ("starrocks_fe_query_internal_err",),
        r"\binternal err\w*|内部错误",
    ),
    _counter(
        "txn_rejects_7d",
        "rejected transactions",
        "per hour",
        ("starrocks_fe_txn_reject",),
        r"\brejects?\b|rejected|拒绝",
    ),
    _counter(
        "txn_failures_7d",
        "failed transactions",
        "per hour",
        ("starrocks_fe_txn_failed",),
        r"(?:txn|transaction|load|import|ingest\w*) fail\w*|failed (?:txns?|transactions?|loads?|imports?)"
        r"|事务失败|导入失败",
    ),
    _counter(
        "query_errors_7d",
        "query errors",
        "per hour",
        ("starrocks_fe_query_err",),
        r"\berrors?\b|\bfail(?:ed|ing|ures?)\b|错误|报错|失败",
    ),
    _gauge(
        "routine_load_lag",
        "routine load lag",
        "records",
        "starrocks_fe_routine_load_max_lag_of_partition",
        r"\broutine loads?\b|\blag(?:s|ging)?\b|kafka|ingest\w*|延迟消费|消费延迟|积压|导入",
        peak=True,
    ),
    _gauge("p95_latency_ms", "query latency p95", "ms", "starrocks_fe_query_latency_ms_p95", r"\bp95\b|95th|95分位"),
    _gauge(
        "p99_latency_ms",
        "query latency p99",
        "ms",
        "starrocks_fe_query_latency_ms_p99",
        r"\bp99\b|99th|\blatenc(?:y|ies)\b|response times?|\bslow(?:er|est|ness|ed)?\b|延迟|响应时间|时延|慢",
    ),
    _gauge(
        "qps",
        "queries per second",
        "per second",
        "starrocks_fe_qps",
        r"\bqps\b|queries per second|throughput|吞吐|每秒查询",
    ),
    _counter(
        "query_volume",
        "queries",
        "per hour",
        ("starrocks_fe_query_total",),
        r"(?:query|queries) (?:volume|count|total)|number of queries|\btraffic\b|\bload\b|查询量|流量|负载",
    ),
    _gauge(
        "cpu_util_pct",
        "CPU used",
        "%",
        "starrocks_be_cpu_util_percent",
        r"\bcpus?\b|processor|处理器",
    ),
    _gauge(
        "fe_connection_total",
        "FE connections",
        "",
        "starrocks_fe_connection_total",
        r"\bconnections?\b|\bconns?\b|连接",
        peak=True,
    ),
    _ratio(
        "be_fd_used_pct",
        "BE file descriptors used",
        "starrocks_be_process_fd_num_used",
        "starrocks_be_process_fd_num_limit_soft",
        r"\bfds?\b|file descriptors?|open files|文件句柄|句柄|文件描述符",
    ),
    Measure(
        "nodes_up",
        "nodes up",
        "%",
        ("up",),
        re.compile(r"\bnodes? (?:up|down|dead|alive)|dead nodes?|nodes? are (?:up|down)|节点"),
        "100 * " + _of("up", fold="min"),
    ),
)

BY_KEY: Mapping[str, Measure] = {measure.key: measure for measure in MEASURES}
VITALS: tuple[Measure, ...] = tuple(
    BY_KEY[key]
    for key in (
        "cpu_util_pct",
        "memory_available_pct",
        "fe_heap_used_pct",
        "disk_used_pct",
        "compaction_score",
        "p99_latency_ms",
        "fe_connection_total",
        "fe_journal_write_latency_ms",
        "routine_load_lag",
        "nodes_up",
    )
)
"""The gauges that an answer about one cluster opens with."""
LIMITED: tuple[Measure, ...] = tuple(
    BY_KEY[key] for key in ("disk_used_pct", "memory_available_pct", "fe_heap_used_pct", "compaction_score")
)
"""The measures with a hard limit that a cluster can run into."""

LOW_IS_BAD = frozenset({"memory_available_pct", "nodes_up"})
"""Keys of the measures whose worst end is the lowest."""


def mentioned(question: str) -> Measure | None:
    """The measure a normalised question names, by metric name or by people's words."""
    for measure in MEASURES:
        if any(metric.lower() in question for metric in measure.metrics):
            return measure
    return next((measure for measure in MEASURES if measure.words.search(question)), None)
