"""Answers by fixed rules: the floor under Claude, and the analyst where no key is set."""

from agent.rules_only.analyst import RulesAnalyst
from agent.rules_only.thresholds import Threshold, Thresholds, from_rules

__all__ = ["RulesAnalyst", "Threshold", "Thresholds", "from_rules"]
