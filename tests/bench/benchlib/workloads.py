"""What is asked of every peer, how the answers are checked, and which figures of it count."""
from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from . import load
from .backends import CHUNK, SMALL, STREAM_CHUNKS, UPLOAD
from .httpd import Mpm
from .meter import Figures

BODIES = {"/64k": CHUNK, "/100m": CHUNK * STREAM_CHUNKS}
IDLE_PATH = "/idle"
WAIT_SECONDS = 0.010


class WrongAnswer(Exception):
    """A peer serves, but not what all others serve."""


@dataclass(frozen=True)
class Column:
    title: str
    of: Callable[[Figures], float]
    digits: int = 0


def _latency(name: str) -> Callable[[Figures], float]:
    return lambda figures: figures.seen.latency[name]


MEMORY = (Column("front MB", lambda f: f.peak_front, 1), Column("all MB", lambda f: f.peak_all, 1))
REQUESTS = (Column("CPU us/request", lambda f: f.cpu / f.seen.requests * 1e6, 1),
            Column("requests/s", lambda f: f.seen.requests / f.seen.seconds),
            Column("p50 us", _latency("p50")), Column("p99 us", _latency("p99")), Column("p99.9 us", _latency("p999")),
            *MEMORY)
BYTES = (Column("CPU us/MB", lambda f: f.cpu / f.seen.bytes * 1e12, 1),
         Column("MB/s", lambda f: f.seen.bytes / f.seen.seconds / 1e6), *MEMORY)


@dataclass(frozen=True)
class Workload:
    name: str
    title: str
    path: str
    connections: int = 1
    mpm: Mpm = Mpm()
    post: int = 0
    idle: int = 0
    columns: tuple[Column, ...] = REQUESTS

    @property
    def waiting(self) -> int:
        """Requests that the backend holds at once without doing anything."""
        return self.idle + (self.connections if self.path == "/wait" else 0)

    def check(self, port: int) -> None:
        """One answer, byte for byte. OSError while nobody serves yet, WrongAnswer for anything else."""
        started = time.monotonic()
        body = load.fetch(f"http://127.0.0.1:{port}{self.path}", b"x" * self.post if self.post else None)
        if body != BODIES.get(self.path, SMALL):
            raise WrongAnswer(f"{self.path} has {len(body)} bytes: {body[:100]!r}")
        if self.path == "/wait" and time.monotonic() - started < WAIT_SECONDS:
            raise WrongAnswer("it did not wait")

    def run(self, port: int, seconds: float) -> load.Seen:
        url = f"http://127.0.0.1:{port}{self.path}"
        if self.columns is BYTES:
            return load.downloads(url, len(BODIES[self.path]), seconds)
        return load.wrk(url, self.connections, seconds, self.post)

    def surroundings(self, port: int) -> contextlib.AbstractContextManager:
        """What there is besides the requests that are measured."""
        return load.IdleStreams(port, IDLE_PATH, self.idle) if self.idle else contextlib.nullcontext()


WORKLOADS = {workload.name: workload for workload in (
    Workload("c1", "13 bytes, 1 connection", "/small", 1),
    Workload("c32", "13 bytes, 32 connections", "/small", 32),
    Workload("c128", "13 bytes, 128 connections", "/small", 128),
    Workload("64k", "64 KiB, 32 connections", "/64k", 32),
    Workload("stream", "100 MiB, one download at a time", "/100m", columns=BYTES),
    Workload("upload", "1 MiB uploads, 8 connections", "/upload", 8, post=UPLOAD),
    Workload("idle", "13 bytes, 32 connections, while 1,000 responses stand still", "/small", 32, Mpm(threads=1100),
             idle=1000),
    Workload("wait", "handlers that wait 10 ms, 256 connections", "/wait", 256, Mpm(threads=320)))}


def medians(workload: Workload, runs: list[Figures]) -> list[float]:
    return [statistics.median(column.of(run) for run in runs) for column in workload.columns]
