"""One measurement: what the clients saw, what it cost, and how much of the machine others used meanwhile."""
from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from .load import Seen
from .processes import Group, machine_cpu


@dataclass
class Figures:
    """What the clients saw, seconds on the clock and of CPU, peaks of memory in megabytes."""
    seen: Seen
    wall: float
    cpu_front: float
    cpu_back: float
    cpu_load: float
    cpu_others: float
    peak_front: float
    peak_all: float

    @property
    def cpu(self) -> float:
        return self.cpu_front + self.cpu_back

    def as_json(self) -> dict:
        return asdict(self)


def _own_cpu() -> float:
    """Of this program, which holds connections, and of the load generators that it has waited for."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measure(group: Group, load: Callable[[], Seen]) -> Figures:
    group.forget_peak()
    started = time.monotonic()
    machine, own, front, back = machine_cpu(), _own_cpu(), group.cpu(["front"]), group.cpu(["back"])
    seen = load()
    wall = time.monotonic() - started
    machine, own = machine_cpu() - machine, _own_cpu() - own
    front, back = group.cpu(["front"]) - front, group.cpu(["back"]) - back
    others = max(0.0, machine - own - front - back)  # kernel threads among them
    return Figures(seen, wall, front, back, own, others, group.peak(["front"]), group.peak())
