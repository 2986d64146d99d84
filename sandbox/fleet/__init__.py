"""The simulated fleet: a warehouse filled with believable clusters, planted faults, and healthy decoys."""

from sandbox.fleet.build import build
from sandbox.fleet.scenario import FORMS
from sandbox.fleet.truth import Fault, Truth

__all__ = ["FORMS", "Fault", "Truth", "build"]
