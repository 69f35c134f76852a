"""A router and the workers of one row of a series: started, asked for a right answer, warmed up, and stopped."""
from __future__ import annotations

import contextlib
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from . import load
from .processes import Group
from .scale_meter import status
from .scale_series import Row, Site, await_all, start
from .workloads import IDLE_PATH

# What may go wrong with one row while the others are measured all the same.
EXPECTED = (OSError, LookupError, ValueError, subprocess.SubprocessError)


def raise_open_files() -> int:
    """As far as the host allows: an open stream takes two descriptors of a child, a session with a worker four."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def _warm_up(row: Row, port: int, url: str) -> None:
    """Connections, threads and caches are there from here on, and every child's sessions with all workers. The kernel
    gives a few connections to some children only: a crowd reaches more of them."""
    load.wrk(url, max(row.connections, 8 * row.mpm.children), 1)
    for _ in range(5):
        load.wrk(url, row.connections, 1)
        if all(child["sessions"] == row.workers for child in status(port)["children"]):
            break


@contextlib.contextmanager
def standing(row: Row, build: Path) -> Iterator[tuple[Site, str, load.IdleStreams | None]]:
    """The router, the URL to ask for, and the streams that stand still, if the row has any."""
    with tempfile.TemporaryDirectory(prefix="scale-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # httpd's children are somebody else
        with Group(folder) as group:
            try:
                site = start(row, group, build)
                await_all(row, site, 120)
                url = f"http://127.0.0.1:{site.port}{row.path}"
                streams = load.IdleStreams(site.port, IDLE_PATH, row.streams, 120) if row.streams else None
                with streams or contextlib.nullcontext() as held:
                    _warm_up(row, site.port, url)
                    yield site, url, held
            except EXPECTED:
                print(group.logs(), file=sys.stderr)
                raise
