"""What the threads of a measurement's processes used, and how often they slept: where a request's time goes."""
from __future__ import annotations

import contextlib
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from .load import Seen


@dataclass(frozen=True)
class Kind:
    """Threads that do the same: they have one name, in processes of one name."""
    process: str
    thread: str

    def __str__(self) -> str:
        return self.process if self.thread == self.process else f"{self.process}: {self.thread}"


@dataclass(frozen=True)
class Used:
    """Sums over threads; times in seconds."""
    cpu: float = 0
    waited: float = 0  # ready to run, without a CPU
    sleeps: float = 0
    preemptions: float = 0  # it lost the CPU to another

    def __add__(self, other: Used) -> Used:
        return Used(self.cpu + other.cpu, self.waited + other.waited, self.sleeps + other.sleeps,
                    self.preemptions + other.preemptions)

    def __sub__(self, other: Used) -> Used:
        return Used(self.cpu - other.cpu, self.waited - other.waited, self.sleeps - other.sleeps,
                    self.preemptions - other.preemptions)

    def __truediv__(self, number: float) -> Used:
        return Used(self.cpu / number, self.waited / number, self.sleeps / number, self.preemptions / number)


def _thread(task: Path) -> Used:
    cpu, waited, _ = map(int, (task / "schedstat").read_text().split())
    switches = dict(re.findall(r"^(\w*voluntary_ctxt_switches):\s+(\d+)$", (task / "status").read_text(), re.M))
    return Used(cpu / 1e9, waited / 1e9, int(switches["voluntary_ctxt_switches"]),
                int(switches["nonvoluntary_ctxt_switches"]))


def _all(pids: Iterable[int]) -> dict[tuple[int, str], tuple[Kind, Used]]:
    found = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            tasks = Path(f"/proc/{pid}/task")
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            for thread in os.listdir(tasks):
                with contextlib.suppress(OSError):
                    kind = Kind(name, (tasks / thread / "comm").read_text().strip())
                    found[pid, thread] = kind, _thread(tasks / thread)
    return found


def measure(pids: Iterable[int], load: Callable[[], Seen]) -> tuple[Seen, dict[Kind, Used]]:
    """Of threads that are there after the load; one that ended during it took its share along."""
    pids = list(pids)
    before = _all(pids)
    if not any(used.cpu for _, used in before.values()):
        raise OSError("this kernel does not count what threads use (/proc/PID/task/TID/schedstat)")
    seen = load()
    sums: dict[Kind, Used] = defaultdict(Used)
    for key, (kind, used) in _all(pids).items():
        sums[kind] += used - before.get(key, (kind, Used()))[1]
    return seen, dict(sums)
