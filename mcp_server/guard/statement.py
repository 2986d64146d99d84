"""A parsed statement with its nodes listed and sorted once, so that no rule walks the tree again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from sqlglot import exp

Kind = TypeVar("Kind", bound=exp.Expr)


@dataclass(frozen=True, slots=True)
class Statement:
    """The root of the tree, all its nodes breadth first, and the nodes of each class."""

    root: exp.Query
    nodes: Sequence[exp.Expr]
    kinds: dict[type[exp.Expr], list[exp.Expr]]

    def of(self, *kinds: type[Kind]) -> Iterator[Kind]:
        """The nodes of exactly these classes."""
        for kind in kinds:
            yield from cast(Sequence[Kind], self.kinds.get(kind, ()))
