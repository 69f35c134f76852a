"""Where and with what something was measured."""
from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import os
import platform
import re
import resource
import subprocess
import time
from pathlib import Path

from . import httpd
from .backends import system_program


def _version(*command: str) -> str:
    with contextlib.suppress(OSError):
        done = subprocess.run([system_program(command[0]), *command[1:]], capture_output=True, text=True, check=False)
        if found := re.search(r"\d+\.\d+[\d.]*\S*", done.stdout + done.stderr):
            return found[0]
    return "?"


def _libzmq() -> str:
    numbers = [ctypes.c_int() for _ in range(3)]
    try:
        ctypes.CDLL(ctypes.util.find_library("zmq") or "libzmq.so.5").zmq_version(*map(ctypes.byref, numbers))
    except OSError:
        return "?"
    return ".".join(str(number.value) for number in numbers)


def _halt() -> str:
    """A wake-up costs several times as much when the CPU for it has halted, on virtual machines most of all."""
    with contextlib.suppress(OSError, ValueError):
        if Path("/sys/devices/system/cpu/cpuidle/current_governor").read_text().strip() == "haltpoll":
            polls = int(Path("/sys/module/haltpoll/parameters/guest_halt_poll_ns").read_text())
            return f"after {polls / 1000:g} us" if polls else "at once"
    return "as the kernel chooses"


def describe() -> dict[str, str]:
    cpu = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    return {"date": time.strftime("%Y-%m-%d %H:%M"), "CPU": cpu[1] if cpu else platform.machine(),
            "cores": str(os.cpu_count()), "kernel": platform.release(), "httpd": _version(httpd.program(), "-v"),
            "libzmq": _libzmq(), "nginx": _version("nginx", "-v"), "haproxy": _version("haproxy", "-v"),
            "idle CPUs halt": _halt()}


def raise_open_files(least: int = 16_384) -> None:
    """Of this program and all that it starts; a thousand idle streams take two or three each at a front."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < least:
        wanted = least if hard == resource.RLIM_INFINITY else min(least, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
