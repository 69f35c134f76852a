"""One measurement of a router that has grown: what each part of it used, and what its largest child holds."""
from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from . import load
from .load import Seen
from .processes import Group, machine_cpu

STATUS_PATH = "/zmqspdy-status"
PARTS = ("router", "registry", "workers")


def status(port: int) -> dict:
    return json.loads(load.fetch(f"http://127.0.0.1:{port}{STATUS_PATH}", timeout=10))


def process_cpu(pid: int) -> float:
    """Seconds of CPU of all threads that a process has and had, by its POSIX clock: /proc counts in hundredths of a
    second, of which a registry uses few and a worker among a thousand none."""
    return time.clock_gettime(~pid << 3 | 2)  # MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED)


def resident(pid: int) -> float:
    """Megabytes, at this moment."""
    match = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(match[1]) * 1024 / 1e6 if match else 0.0


def threads(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/task"))


def descriptors(pids: Iterable[int]) -> list[int]:
    return [len(os.listdir(f"/proc/{pid}/fd")) for pid in pids]


class Parts:
    """The processes of a measurement by what they are. The registry, a child of httpd's, and httpd's children are
    told apart by the router's own status."""

    def __init__(self, group: Group, port: int):
        now = status(port)
        self.registry: int = now["registry"]["pid"]
        self.children: list[int] = sorted(child["pid"] for child in now["children"])
        self.pids = {"router": [pid for pid in group.pids(["front"]) if pid != self.registry],
                     "registry": [self.registry], "workers": group.pids(["back"])}

    def cpu(self) -> dict[str, float]:
        return {part: sum(map(process_cpu, pids)) for part, pids in self.pids.items()}


@dataclass
class Figures:
    """Seconds of CPU and of the clock, megabytes, descriptors."""
    seen: Seen
    cpu: dict[str, float]
    cpu_others: float  # of the whole machine's, without the load generator's
    wall: float
    child_memory: float
    registry_memory: float
    child_descriptors: int
    registry_descriptors: int
    workers_descriptors: int
    children_at_work: int
    sessions: list[int]  # of each child, with workers; one that has none has had no request
    streams: list[int]  # of each child, when the load had ended
    idle_cpu: dict[str, float] = field(default_factory=dict)  # for each second without requests

    def as_json(self) -> dict:
        return asdict(self)


def at_work(seconds: list[float]) -> int:
    """How many children took part, by the CPU of each: what every request wakes in all of them is far less than a tenth
    of an equal share."""
    return sum(each > sum(seconds) / len(seconds) / 10 for each in seconds)


def used(parts: Parts, what: Callable[[], object]) -> tuple[dict[str, float], float]:
    """CPU of each part meanwhile, and the time it took."""
    started, before = time.monotonic(), parts.cpu()
    what()
    after = parts.cpu()
    return {part: after[part] - before[part] for part in PARTS}, time.monotonic() - started


def measure(group: Group, port: int, run: Callable[[], Seen], idle_seconds: float) -> Figures:
    """After the load, which has made all sessions, as much time without it: what it costs to be there."""
    parts = Parts(group, port)
    machine, own, results = machine_cpu(), os.times(), []
    children = [-process_cpu(pid) for pid in parts.children]
    cpu, wall = used(parts, lambda: results.append(run()))
    children = [process_cpu(pid) + before for pid, before in zip(parts.children, children)]
    machine, own = machine_cpu() - machine, [after - before for before, after in zip(own, os.times())]
    others = machine - sum(own[:4]) - sum(cpu.values())
    idle_cpu: dict[str, float] = {}
    if idle_seconds:
        time.sleep(0.2)  # the last answers are on their way, keep-alive connections end
        idle, seconds = used(parts, lambda: time.sleep(idle_seconds))
        idle_cpu = {part: value / seconds for part, value in idle.items()}
    now = status(port)
    if (alive := sorted(child["pid"] for child in now["children"])) != parts.children or group.dead():
        raise OSError(f"processes came or went meanwhile: {group.dead() or alive}")
    return Figures(results[0], cpu, max(0.0, others), wall,
                   max(map(resident, parts.children)), resident(parts.registry),
                   max(descriptors(parts.children)), descriptors([parts.registry])[0],
                   sum(descriptors(parts.pids["workers"])), at_work(children),
                   [child["sessions"] for child in now["children"]], [child["streams"] for child in now["children"]],
                   idle_cpu)
