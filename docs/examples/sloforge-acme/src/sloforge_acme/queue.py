"""The SLI `acme-queue`: what waits in one of our queues is taken in time."""

from sloforge import latency
from sloforge.extending import Sli, quote

# The bounds that our client library has, in seconds.
BOUNDS = (0.5, 1.0, 5.0, 30.0)


def wait(*, queue: str, seconds: float = 5.0) -> Sli:
    """Messages of a queue that are taken in time."""
    if seconds not in BOUNDS:
        raise ValueError(f"seconds: expected one of {BOUNDS}, got {seconds}")
    return latency(histogram=f"acme_queue_wait_seconds{{queue={quote(queue)}}}", threshold=seconds)
