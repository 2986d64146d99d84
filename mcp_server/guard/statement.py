"""A parsed statement with its nodes listed once, so that each rule is one pass over a list."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from sqlglot import exp

Kind = TypeVar("Kind", bound=exp.Expr)


@dataclass(frozen=True, slots=True)
class Statement:
    """The root of the tree and all its nodes, breadth first."""

    root: exp.Query
    nodes: tuple[exp.Expr, ...]

    def of(self, kind: type[Kind]) -> Iterator[Kind]:
        """The nodes of a class."""
        return (node for node in self.nodes if isinstance(node, kind))
