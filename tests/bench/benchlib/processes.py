"""Processes of one measurement: started together, accounted for with all their descendants, stopped by their pids."""
from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """Below the range from which the kernel gives ports to clients: a port from there could be gone when it is bound."""
    for _ in range(200):
        port = random.randrange(10_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port on 127.0.0.1")


def await_port(port: int, seconds: float = 20) -> None:
    """Until somebody listens: a proxy that asks a backend too early remembers for a minute that it is down."""
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
        time.sleep(0.02)


def await_path(path: Path, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        if time.monotonic() > end:
            raise TimeoutError(f"{path} did not appear")
        time.sleep(0.02)


def machine_cpu() -> float:
    """Seconds of CPU that the whole machine has used: all but idle and iowait, time stolen by the host included."""
    user, nice, system, _, _, *rest = map(int, Path("/proc/stat").read_text().split(maxsplit=9)[1:9])
    return (user + nice + system + sum(rest)) / TICKS


class Group:
    """The processes of one measurement, in two roles: `front` is what clients talk to, `back` is behind it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._started: list[tuple[str, subprocess.Popen]] = []

    def __enter__(self) -> Group:
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def run(self, role: str, *command: str | Path, cwd: Path | None = None) -> subprocess.Popen:
        with open(self.folder / "output", "ab") as log:
            process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, cwd=cwd or self.folder, start_new_session=True)
        self._started.append((role, process))
        return process

    def stop(self, seconds: float = 10) -> None:
        """Fronts first, so that none complains of a lost backend. Each has a session of its own, and what is left of
        that after SIGTERM and the time is killed."""
        for _, process in sorted(self._started, key=lambda entry: entry[0] != "front"):
            process.terminate()
        end = time.monotonic() + seconds
        for _, process in self._started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, end - time.monotonic()))
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._started.clear()

    def dead(self) -> list[str]:
        return [f"{process.args[0]} ended with {process.returncode}" for _, process in self._started
                if process.poll() is not None]

    def logs(self) -> str:
        """The last lines of every log in the folder, to tell why something does not serve."""
        found = (path for path in sorted(self.folder.rglob("*")) if re.search("output|log", path.name))
        return "".join(f"--- {path.name}\n{path.read_text(errors='replace')[-2000:]}"
                       for path in found if path.is_file())

    def pids(self, roles: Iterable[str] = ("front", "back")) -> list[int]:
        """The processes and all their descendants."""
        children: dict[int, list[int]] = {}
        for pid, (parent, _) in _all_processes().items():
            children.setdefault(parent, []).append(pid)
        todo, found = [process.pid for role, process in self._started if role in roles], []
        while todo:
            pid = todo.pop()
            found.append(pid)
            todo += children.get(pid, [])
        return found

    def cpu(self, roles: Iterable[str] = ("front", "back")) -> float:
        """Seconds, user and system, of the whole trees; descendants that ended are in what their parents reaped."""
        processes = _all_processes()
        return sum(processes[pid][1] for pid in self.pids(roles) if pid in processes)

    def forget_peak(self) -> None:
        """From here on peak() is about the time after this call."""
        for pid in self.pids():
            with contextlib.suppress(OSError):
                Path(f"/proc/{pid}/clear_refs").write_text("5")

    def peak(self, roles: Iterable[str] = ("front", "back")) -> float:
        """Megabytes: the sum of every process's own peak of resident memory. Pages that several share count for each."""
        total = 0
        for pid in self.pids(roles):
            with contextlib.suppress(OSError):
                match = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
                total += int(match[1]) if match else 0
        return total * 1024 / 1e6


def _all_processes() -> dict[int, tuple[int, float]]:
    """Of every process its parent and its seconds of CPU, those of reaped children included."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
                found[int(entry)] = int(fields[1]), sum(map(int, fields[11:15])) / TICKS
    return found
