"""Answers by fixed rules: the floor under Claude, and the analyst where no key is set.

A reply is made from the request alone, in one direction:

    messages ── history ──► Turn: question, outcomes of its calls (envelope reads their text)
                   │
    question ── intent ───► Intent: kind, clusters, measure, window … (references, vocabulary: words.yaml)
                   │
    Intent ──── plan ─────► Asks: calls of the door, own SELECTs (inventory lists, readings measures)
                   │            open asks are the reply; once all are answered …
    Outcomes ── writing ──► … the answer in Markdown, values judged by thresholds

What is measured and how (measures) and where it worries (thresholds) are those of agent/patrol/rules.yaml."""

from agent.rules_only.analyst import RulesAnalyst
from agent.rules_only.thresholds import Threshold, Thresholds, from_rules

__all__ = ["RulesAnalyst", "Threshold", "Thresholds", "from_rules"]
