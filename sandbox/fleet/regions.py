"""Cloud regions with their clocks, and the machine types on offer: the static part of the control plane."""

from typing import NamedTuple


class Region(NamedTuple):
    """One cloud region; `offset` is its usual distance from UTC in hours and moves the daily load curve."""

    cloud: str
    code: str
    place: str
    offset: float

    @property
    def display_name(self) -> str:
        """Return the name as the control plane shows it, the code last."""
        return f"{self.place} {self.code}"


class Machine(NamedTuple):
    """A machine size of one cloud; `price` is USD per hour before the region's mark-up."""

    cloud: str
    name: str
    vcpu: int
    memory_gb: int
    price: float


REGIONS: tuple[Region, ...] = (
    Region("AWS", "us-east-1", "US East (N. Virginia)", -5),
    Region("AWS", "us-east-2", "US East (Ohio)", -5),
    Region("AWS", "us-west-1", "US West (N. California)", -8),
    Region("AWS", "us-west-2", "US West (Oregon)", -8),
    Region("AWS", "ca-central-1", "Canada (Central)", -5),
    Region("AWS", "sa-east-1", "South America (São Paulo)", -3),
    Region("AWS", "eu-west-1", "Europe (Ireland)", 0),
    Region("AWS", "eu-west-2", "Europe (London)", 0),
    Region("AWS", "eu-central-1", "Europe (Frankfurt)", 1),
    Region("AWS", "ap-south-1", "Asia Pacific (Mumbai)", 5.5),
    Region("AWS", "ap-southeast-1", "Asia Pacific (Singapore)", 8),
    Region("AWS", "ap-southeast-2", "Asia Pacific (Sydney)", 10),
    Region("AWS", "ap-southeast-3", "Asia Pacific (Jakarta)", 7),
    Region("AWS", "ap-northeast-1", "Asia Pacific (Tokyo)", 9),
    Region("AWS", "me-south-1", "Middle East (Bahrain)", 3),
    Region("GCP", "us-central1", "Iowa", -6),
    Region("GCP", "us-east4", "Northern Virginia", -5),
    Region("GCP", "europe-west1", "Belgium", 1),
    Region("GCP", "asia-southeast1", "Singapore", 8),
    Region("GCP", "asia-northeast1", "Tokyo", 9),
    Region("Azure", "eastus", "East US", -5),
    Region("Azure", "westus2", "West US 2", -8),
    Region("Azure", "westeurope", "West Europe", 1),
    Region("Azure", "southeastasia", "Southeast Asia", 8),
    Region("Azure", "germanywestcentral", "Germany West Central", 1),
)

WEIGHTS: tuple[float, ...] = (14, 4, 2, 11, 1, 1.5, 5, 1.5, 4, 4, 9, 2, 2, 3, 1, 4, 3, 2, 2, 1, 3, 2, 2, 2, 1)
"""How much of the fleet runs in each region, in the order of REGIONS."""

_AWS = (("m6i", 4, 0.048), ("r6i", 8, 0.063), ("m7g", 4, 0.0408), ("r7g", 8, 0.0536), ("i4i", 8, 0.0858))
_SIZES = (("xlarge", 4), ("2xlarge", 8), ("4xlarge", 16), ("8xlarge", 32))
_GCP = (("n2-standard", 4, 0.0486), ("n2-highmem", 8, 0.0655), ("c3-standard", 4, 0.0504))
_AZURE = (("D{}s_v5", 4, 0.048), ("E{}s_v5", 8, 0.063), ("L{}s_v3", 8, 0.078))


def _machines() -> tuple[Machine, ...]:
    aws = [Machine("AWS", f"{f}.{s}", n, n * ratio, n * p) for f, ratio, p in _AWS for s, n in _SIZES]
    gcp = [Machine("GCP", f"{f}-{n}", n, n * ratio, n * p) for f, ratio, p in _GCP for _, n in _SIZES]
    azure = [
        Machine("Azure", "Standard_" + f.format(n), n, n * ratio, n * p) for f, ratio, p in _AZURE for _, n in _SIZES
    ]
    return (*aws, *gcp, *azure)


MACHINES: tuple[Machine, ...] = _machines()
"""Sizes from 4 to 32 vCPUs with 16 to 256 GB."""
