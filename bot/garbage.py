"""How often Python looks for cycles of garbage: rarely, since a turn makes few and holds much."""

import gc

YOUNG, MIDDLE, OLD = 50_000, 20, 20
"""Objects made since the last look, and looks at the younger before one at the older. With Python's own 700 and 10,
a thousand turns spend a fifth of their time on histories being looked through over and over."""


def collect_rarely() -> None:
    """Take what is there for lasting, and look for garbage less often; to be called once all is set up."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
