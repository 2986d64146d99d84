"""What travels in a button: written by the views, read back by the surfaces when somebody presses it."""

import json

INVESTIGATE = "investigate"
"""The action of the button under a flagged cluster."""

_LONGEST_ID = 150
"""Characters; two ids keep within the 2,000 of a button's value even when each character needs six in JSON."""


def investigation(report_id: str, cluster_id: str) -> str:
    """The value of an Investigate button. Both ids are cut to 150 characters."""
    ids = {"report": report_id[:_LONGEST_ID], "cluster": cluster_id[:_LONGEST_ID]}
    return json.dumps(ids, ensure_ascii=False, separators=(",", ":"))


def investigated(value: str) -> tuple[str, str]:
    """Report id and cluster id of a pressed button. Raises ValueError for anything else."""
    try:
        ids = json.loads(value)
    except RecursionError:
        raise ValueError("nested deeper than any value of ours") from None
    if not isinstance(ids, dict) or set(ids) != {"report", "cluster"}:
        raise ValueError("not the value of an Investigate button")
    report, cluster = ids["report"], ids["cluster"]
    for one in (report, cluster):
        if not isinstance(one, str) or not 0 < len(one) <= _LONGEST_ID:
            raise ValueError("not the ids of a report and a cluster")
    return report, cluster
