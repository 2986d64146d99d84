"""Names that people give: companies, their customers' use of StarRocks, and clusters."""

import numpy as np


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST = _words(
    "Acme Borealis Cobalt Delphi Everline Fathom Granite Harbor Indigo Juniper Kestrel Lumen Meridian Nimbus Orchid "
    "Pinnacle Quartz Ridgeway Solstice Tundra Umbra Vertex Willow Xenon Yonder Zephyr Atlas Bramble Cinder Drift"
)
_SECOND = _words(
    "Analytics Bank Commerce Data Energy Foods Games Health Insight Labs Logistics Media Mobility Pay Travel"
)
_TLDS = ("com", "io", "ai", "co", "net")
_ENVIRONMENTS = ("prod", "prod", "prod", "prod", "staging", "dev", "uat")
_PURPOSES = _words(
    "analytics bi dashboards reporting realtime events clickstream orders payments risk ads attribution "
    "customer360 inventory logs metrics-store lakehouse adhoc feature-store recommendations finance growth"
)

USE_CASES: tuple[str, ...] = (
    "customer-facing dashboards",
    "real-time risk scoring",
    "ad attribution",
    "lakehouse queries on Iceberg",
    "user behaviour funnels",
    "internal BI",
    "log analytics",
    "order and inventory reporting",
)
STAGES: tuple[str, ...] = ("production", "production", "production", "onboarding", "poc", "churn_risk")


def companies(rng: np.random.Generator, count: int) -> list[str]:
    """Return distinct company names; a number is added when the combinations are used up."""
    pairs = [f"{first} {second}" for first in _FIRST for second in _SECOND]
    rng.shuffle(pairs)
    return [pairs[i % len(pairs)] + ("" if i < len(pairs) else f" {i // len(pairs) + 1}") for i in range(count)]


def domain(rng: np.random.Generator, company: str) -> str:
    """Return an internet domain for a company name."""
    return company.lower().replace(" ", "") + "." + str(rng.choice(_TLDS))


def clusters(rng: np.random.Generator, count: int) -> list[str]:
    """Return distinct cluster names such as `prod-analytics-03` or `risk_prod_2`."""
    seen: dict[str, None] = {}
    while len(seen) < count:
        environment, purpose = str(rng.choice(_ENVIRONMENTS)), str(rng.choice(_PURPOSES))
        number = int(rng.integers(1, 5 + count // 20))
        forms = (
            f"{environment}-{purpose}-{number:02d}",
            f"{purpose}-{environment}-{number:02d}",
            f"sr-{purpose}-{number:02d}",
        )
        seen[forms[int(rng.choice(3, p=(0.7, 0.2, 0.1)))]] = None
    return list(seen)
