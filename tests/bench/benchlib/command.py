"""What the benchmarks' command lines have in common."""
from __future__ import annotations

import signal
import sys


def progress(text: str) -> None:
    """One line that is written over, for people only."""
    if sys.stderr.isatty():
        print(f"\r{text}\033[K", end="", file=sys.stderr, flush=True)


def choose(known: dict, names: str | None, what: str) -> list:
    """Those of `known` that a list separated by commas names; all of them without one."""
    if not names:
        return list(known.values())
    if unknown := [name for name in names.split(",") if name not in known]:
        sys.exit(f"There is no {what} {', '.join(unknown)}; there are: {', '.join(known)}")
    return [known[name] for name in names.split(",")]


def end_orderly() -> None:
    """What was started is stopped, also when this program is told to end."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
