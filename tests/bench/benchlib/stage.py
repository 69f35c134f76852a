"""A peer that serves a workload: started, asked for a right answer, warmed up, and stopped."""
from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from . import load
from .backends import Site
from .peers import Peer
from .processes import Group, free_port
from .workloads import BYTES, Workload, WrongAnswer


class Failure(Exception):
    """A peer did not do what it should; the others are measured all the same."""


def await_right_answer(workload: Workload, site: Site, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            return workload.check(site.port)
        except (OSError, WrongAnswer) as error:  # a 404 or 503 may come before a backend has
            if time.monotonic() > end or site.group.dead():
                raise Failure("; ".join([f"it does not serve {workload.path}: {error}", *site.group.dead()])) from error
        time.sleep(0.05)


@contextlib.contextmanager
def serving(peer: Peer, workload: Workload, build: Path, www: Path) -> Iterator[tuple[Site, load.IdleStreams | None]]:
    """The peer, and the streams that stand still beside the workload, if it has any. What goes wrong with it until the
    end of the block is a Failure, and its logs are shown."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # httpd's children are somebody else
        with Group(folder) as group:
            site = Site(group, free_port(), workload.mpm, build, www, workload.waiting, workload.columns is BYTES)
            try:
                peer.start(site)
                await_right_answer(workload, site)
                with workload.surroundings(site.port) as around:
                    workload.run(site.port, 1)  # connections, threads and caches are there from here on
                    yield site, around
            except (OSError, ValueError, subprocess.SubprocessError, Failure) as error:
                print(group.logs(), file=sys.stderr)
                raise Failure(str(error)) from error
