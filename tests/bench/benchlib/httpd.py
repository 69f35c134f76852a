"""An httpd of our own on loopback: its program, its modules, its httpd.conf. All peers that are httpd get the same."""
from __future__ import annotations

import functools
import grp
import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .processes import Group


@dataclass(frozen=True)
class Mpm:
    """The event MPM. Any one child can hold all connections of a workload: where one runs out of threads it closes
    connections that are kept alive, and the kernel does not spread connections evenly over children."""
    children: int = 2
    threads: int = 160

    @property
    def workers(self) -> int:
        return self.children * self.threads

    def lines(self) -> str:
        return (f"StartServers {self.children}\nServerLimit {self.children}\nThreadLimit {self.threads}\n"
                f"ThreadsPerChild {self.threads}\nMaxRequestWorkers {self.workers}\nMinSpareThreads 1\n"
                f"MaxSpareThreads {self.workers}\nListenBacklog 2048\n")


@functools.cache
def apxs(variable: str) -> str:
    return subprocess.run(["apxs", "-q", variable], capture_output=True, text=True, check=True).stdout.strip()


def program() -> str:
    """By apxs's own word first: Debian calls it apache2."""
    for candidate in (f"{apxs('SBINDIR')}/{apxs('PROGNAME')}", "/usr/sbin/apache2", shutil.which("httpd")):
        if candidate and Path(candidate).is_file():
            return candidate
    raise FileNotFoundError("there is no httpd here; on Debian it is in the package apache2-bin")


def load_modules(names: Iterable[str]) -> str:
    """Lines for those that are not built in."""
    folder = Path(apxs("LIBEXECDIR"))
    return "".join(f"<IfModule !{name}_module>\nLoadModule {name}_module {folder}/mod_{name}.so\n</IfModule>\n"
                   for name in names if (folder / f"mod_{name}.so").exists())


def user_lines() -> str:
    if os.geteuid() != 0:
        return ""
    groups = {entry.gr_name for entry in grp.getgrall()}
    return "User www-data\nGroup www-data\n" if "www-data" in groups else "User nobody\nGroup #65534\n"


def start(group: Group, port: int, mpm: Mpm, modules: Iterable[str], lines: str) -> None:
    """`lines` are what makes the peer; everything else is the same for all of them."""
    conf = group.folder / "httpd.conf"
    conf.write_text(
        f'ServerRoot "{group.folder}"\nDefaultRuntimeDir "{group.folder}"\nPidFile httpd.pid\n'
        f"ServerName localhost\nListen 127.0.0.1:{port}\nErrorLog error_log\n{user_lines()}"
        f"{load_modules(['mpm_event', 'unixd', 'authz_core', *modules])}{mpm.lines()}"
        f"KeepAlive On\nKeepAliveTimeout 300\nMaxKeepAliveRequests 0\nTimeout 300\n{lines}")
    group.run("front", program(), "-d", group.folder, "-f", conf, "-DFOREGROUND")
