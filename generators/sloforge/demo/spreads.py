"""How long requests and kernels take: the share of them within each bound of a histogram."""

from __future__ import annotations

from sloforge.demo.story import Pace

Spread = tuple[float, ...]

# Those of TensorWasm's two histograms, as its client library spells them.
BOUNDS = (
    *("0.001", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5"),
    *("1.0", "2.5", "5.0", "10.0", "+Inf"),
)
KERNEL_BOUNDS = (
    *("1e-05", "5e-05", "0.0001", "0.0005", "0.001", "0.005", "0.01", "0.05"),
    *("0.1", "0.5", "1.0", "2.0", "5.0", "10.0", "+Inf"),
)


def _up_to(length: int, *shares: float) -> Spread:
    """All the rest is within the bounds that are left."""
    return (*shares, *[1.0] * (length - len(shares)))


_PROBE = {
    "brisk": _up_to(len(BOUNDS), 0.55, 0.96, 0.995, 0.999),
    "busy": _up_to(len(BOUNDS), 0.35, 0.9, 0.985, 0.997, 0.9995),
}
_USER = {
    "brisk": _up_to(len(BOUNDS), 0.0, 0.03, 0.16, 0.52, 0.86, 0.985, 0.996, 0.999),
    "busy": _up_to(len(BOUNDS), 0.0, 0.01, 0.06, 0.3, 0.66, 0.955, 0.99, 0.997, 0.9995),
    "slow": _up_to(len(BOUNDS), 0.0, 0.005, 0.02, 0.08, 0.18, 0.33, 0.47, 0.6, 0.86, 0.99),
}
_KERNEL = {
    "brisk": _up_to(len(KERNEL_BOUNDS), 0.06, 0.62, 0.985, 0.998, 0.9995),
    "busy": _up_to(len(KERNEL_BOUNDS), 0.03, 0.5, 0.962, 0.995, 0.999),
}


def probe(pace: Pace) -> Spread:
    return _PROBE[pace]


def user(pace: str) -> Spread:
    """`slow` beside the two paces."""
    return _USER[pace]


def kernel(pace: Pace) -> Spread:
    return _KERNEL[pace]


def mean(bounds: tuple[str, ...], within: Spread) -> float:
    """In seconds, as if everything took as long as its bucket allows."""
    total, below = 0.0, 0.0
    for bound, share in zip(bounds[:-1], within[:-1], strict=True):
        total += float(bound) * (share - below)
        below = share
    return total
