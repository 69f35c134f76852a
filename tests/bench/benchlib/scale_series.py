"""What grows in each series, from row to row, and what is started for it."""
from __future__ import annotations

import contextlib
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from . import httpd, load
from .backends import SMALL
from .httpd import Mpm
from .processes import Group, await_port, free_port
from .scale_meter import STATUS_PATH, status, threads

ROUTER_LINES = """
LoadModule zmqspdy_module {build}/mod_zmqspdy.so
ZmqSpdyListen {router}
ZmqSpdyMaxWorkers {most_workers}
ZmqSpdyTimeout 600s
ThreadStackSize {stack}
<Location "/">
SetHandler zmq-spdy
</Location>
<Location "{status}">
SetHandler zmq-spdy-status
</Location>
"""
MOST_WORKERS = 1024  # for all rows: the size of the table is part of what a choice costs
STACK = 262_144  # of a thread: ten thousand streams hold two each
SPARE_THREADS = 100  # beside those that streams hold
CHILDREN_THREADS = 1024  # in all; any of 64 children still has more than its share of 128 connections


@dataclass(frozen=True)
class Site:
    """Where a row is measured."""
    group: Group
    port: int
    router: str  # workers announce themselves there
    build: Path
    mpm: Mpm

    def run_worker(self, *command: str) -> None:
        """Takes as many requests as httpd has threads."""
        program, *words = command
        self.group.run("back", self.build / program, *words, "--router", self.router,
                       "--capacity", str(self.mpm.workers))


StartWorkers = Callable[[Site], None]


@dataclass(frozen=True)
class Row:
    grown: int  # how many there are of what the series is about
    workers: int
    start_workers: StartWorkers
    mpm: Mpm = Mpm()
    path: str = "/small"
    connections: int = 32
    streams: int = 0


@dataclass(frozen=True)
class Series:
    """The ratios of all rows are to the first."""
    name: str
    title: str
    rows: tuple[Row, ...]
    costs_idle: bool = False  # do those of which there are many cost something by being there?


@contextlib.contextmanager
def small_stacks() -> Iterator[None]:
    """For what is started meanwhile: glibc gives threads as much stack as the first one may have."""
    old = resource.getrlimit(resource.RLIMIT_STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (STACK, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_STACK, old)


def many_workers(count: int, per_process: int) -> StartWorkers:
    def start_workers(site: Site) -> None:
        for first in range(0, count, per_process):
            site.run_worker("scale_workers", str(min(per_process, count - first)), "0", f"from-{first}")
    return start_workers


def with_routes(count: int) -> StartWorkers:
    return lambda site: site.run_worker("scale_workers", "1", str(count), "routes")


def bench_workers(count: int) -> StartWorkers:
    """An open stream is a thread of theirs, as in every worker that writes a stream: its producer has to stay."""
    def start_workers(site: Site) -> None:
        with small_stacks():
            for number in range(count):
                site.run_worker("bench_worker", f"worker-{number}")
    return start_workers


def streams_row(count: int, open_files: int) -> Row:
    """One child, since of several the streams fill one after the other, and the requests beside them would find fewer
    in each row; and as many threads left in every row, since httpd asks all idle ones in turn."""
    count = min(count, (open_files - 4 * SPARE_THREADS) // 2)  # a stream takes two descriptors of the child
    return Row(count, 1, bench_workers(1), Mpm(1, count + SPARE_THREADS), streams=count)


def known_series(per_process: int, open_files: int) -> dict[str, Series]:
    return {series.name: series for series in (
        Series("workers", "13 bytes, 32 connections, by workers", tuple(
            Row(count, count, many_workers(count, per_process)) for count in (1, 4, 16, 64, 256, 1000)),
               costs_idle=True),
        Series("routes", "13 bytes, 32 connections, by routes", tuple(
            Row(count, 1, with_routes(count), path=f"/route-{count - 1}/small") for count in (1, 10, 100, 1000))),
        *(Series(f"children-c{clients}", f"13 bytes, {clients} connections, 4 workers, by httpd's children", tuple(
            Row(count, 4, bench_workers(4), Mpm(count, CHILDREN_THREADS // count), connections=clients)
            for count in (1, 2, 4, 8, 16, 32, 64))) for clients in (32, 128)),
        Series("streams", "13 bytes, 32 connections, by streams that stand still", tuple(
            streams_row(count, open_files) for count in (0, 100, 1000, 10_000)),
               costs_idle=True))}


def start(row: Row, group: Group, build: Path) -> Site:
    site = Site(group, free_port(), f"tcp://127.0.0.1:{free_port()}", build, row.mpm)
    httpd.start(group, site.port, row.mpm, [], ROUTER_LINES.format(
        build=build, router=site.router, most_workers=MOST_WORKERS, stack=STACK, status=STATUS_PATH))
    await_port(site.port)
    row.start_workers(site)
    return site


def await_all(row: Row, site: Site, seconds: float) -> None:
    """Until every child has its threads, every worker is there, and the answer is right, byte for byte."""
    end, seen = time.monotonic() + seconds, "no status"
    while True:
        with contextlib.suppress(OSError):
            now = status(site.port)
            serving = sum(worker["state"] == "serving" for worker in now["workers"])
            whole = sum(threads(child["pid"]) > row.mpm.threads for child in now["children"])
            if (serving, whole) == (row.workers, row.mpm.children):
                break
            seen = f"{serving} of {row.workers} workers, {whole} of {row.mpm.children} children with all their threads"
        if time.monotonic() > end or site.group.dead():
            raise OSError("; ".join([f"{seen} after {seconds:g} s", *site.group.dead()]))
        time.sleep(0.1)
    if (body := load.fetch(f"http://127.0.0.1:{site.port}{row.path}")) != SMALL:
        raise OSError(f"{row.path} has {len(body)} bytes: {body[:100]!r}")
