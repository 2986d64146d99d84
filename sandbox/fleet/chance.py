"""Seeded chance: independent random streams per subject, and ids of the shapes that the control plane uses."""

import uuid
import zlib

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.object_]

_ALPHABET = np.array(list("abcdefghijklmnopqrstuvwxyz0123456789"))


def stream(seed: int, subject: str) -> np.random.Generator:
    """Return the generator of one subject: more draws for one subject never shift another's."""
    return np.random.default_rng([seed & 0xFFFF_FFFF, zlib.crc32(subject.encode())])


def uuids(rng: np.random.Generator, count: int) -> list[str]:
    """Return random UUIDs (version 4) as 36-character text."""
    raw = rng.bytes(16 * count)
    return [str(uuid.UUID(bytes=raw[16 * i : 16 * i + 16], version=4)) for i in range(count)]


def short_ids(rng: np.random.Generator, count: int, prefix: str) -> list[str]:
    """Return distinct ids of 9 lower-case characters that begin with `prefix`."""
    seen: dict[str, None] = {}
    while len(seen) < count:
        seen[prefix + "".join(rng.choice(_ALPHABET, 9 - len(prefix)))] = None
    return list(seen)


def wander(rng: np.random.Generator, rows: int, hours: int, keep: float = 0.8) -> Floats:
    """Return AR(1) noise of shape (rows, hours) with standard deviation 1; `keep` is the share kept per hour."""
    shocks: Floats = rng.standard_normal((rows, hours)) * np.sqrt(1 - keep**2)
    shocks[:, 0] = rng.standard_normal(rows)
    # The loop runs over hours, not cells: 720 cheap steps for a month of the whole fleet.
    for hour in range(1, hours):
        shocks[:, hour] += keep * shocks[:, hour - 1]
    return shocks


def poisson(rng: np.random.Generator, mean: Floats) -> Floats:
    """Return Poisson counts as floats, shape of `mean`."""
    # Beyond it numpy refuses; no cluster of ours comes near.
    return np.asarray(rng.poisson(np.clip(mean, 0, 1e12)), dtype=np.float64)
