"""The metric dictionary: every series the simulated fleet exports, with unit, kind and how nodes are joined."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import yaml


class Metric(NamedTuple):
    """One row of metrics.metrics_dict_v2."""

    name: str
    category: str
    unit: str
    kind: str
    """gauge, counter or histogram."""
    aggregation: str
    """sum, max, min or avg over the nodes of a cluster."""
    description: str


@cache
def metrics() -> tuple[Metric, ...]:
    """Return the dictionary in the order of its file."""
    categories = yaml.safe_load((files(__package__) / "dictionary.yaml").read_text(encoding="utf-8"))
    return tuple(
        Metric(name, category, *(str(field) for field in fields))
        for category, entries in categories.items()
        for name, fields in entries.items()
    )
