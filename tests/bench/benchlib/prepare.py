"""Packages and programs that a benchmark needs, by the way of scripts/lib.sh, which says what it installs."""
from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def _with_lib(script: str, *words: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(["bash", "-c", f'. "$0" && {script}', str(ROOT / "scripts/lib.sh"), *words], check=False,
                          **options)


# Of the benchmark's own programs.
BUILD = ("libfcgi-dev", "libbenchmark-dev")


def install(packages: Iterable[str]) -> None:
    """These and what building takes."""
    if _with_lib('need "${packages_build[@]}" "${packages_run[@]}" "$@"', *BUILD, *packages).returncode:
        sys.exit(1)


def build() -> Path:
    """The folder of a release build with the benchmark's programs."""
    print("Building (the first time takes a few minutes) ...", flush=True)
    done = _with_lib('configure release -DZMQSPDY_BENCH=ON -DZMQSPDY_TESTS=OFF && '
                     'cmake --build "$root/build" --target bench_programs',
                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}\nThe build failed; the lines above say where.")
    return ROOT / "build"
