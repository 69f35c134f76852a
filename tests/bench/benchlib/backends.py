"""What is behind the fronts. All answer the routes and bytes of backends/answers.hpp."""
from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from .httpd import Mpm
from .processes import Group, await_path, await_port, free_port

SMALL = b"Hello, World!"
CHUNK = b"x" * 65536
STREAM_CHUNKS = 1600
UPLOAD = 1024 * 1024

BACKENDS = Path(__file__).resolve().parents[1] / "backends"
NGINX_MODULES = Path("/usr/lib/nginx/modules")


@dataclass(frozen=True)
class Site:
    """Where one peer is started: its processes, its port, and what all peers have in common for a workload."""
    group: Group
    port: int
    mpm: Mpm
    build: Path  # of our own programs
    www: Path
    waiting: int  # requests that wait in the backend at once, each on a thread where it has threads
    flow: bool  # responses are longer than what a front should hold

    @property
    def folder(self) -> Path:
        return self.group.folder


def write_files(www: Path) -> None:
    """The answers as files, for those that serve files."""
    www.mkdir()
    (www / "small").write_bytes(SMALL)
    (www / "64k").write_bytes(CHUNK)
    with open(www / "100m", "wb") as file:
        for _ in range(STREAM_CHUNKS):
            file.write(CHUNK)


def system_program(name: str) -> str:
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin")
    if found is None:
        raise FileNotFoundError(f"there is no {name} here")
    return found


def run_nginx(site: Site, role: str, name: str, processes: int, lines: str, top: str = "") -> None:
    folder = site.folder / name
    folder.mkdir()
    user = "user www-data;" if os.geteuid() == 0 else ""
    temporary = "".join(f"{what}_temp_path {folder}/{what};\n" for what in ("proxy", "fastcgi", "uwsgi", "scgi"))
    conf = folder / "nginx.conf"
    conf.write_text(f"""{top}
daemon off; worker_processes {processes}; pid {folder}/pid; {user} worker_rlimit_nofile 16384;
events {{ worker_connections 8192; }}
http {{
access_log off; default_type application/octet-stream; sendfile on; tcp_nopush on;
keepalive_timeout 300; keepalive_requests 1000000000;
client_max_body_size 16m; client_body_temp_path {folder}/body;
{temporary}{lines}
}}
""")
    site.group.run(role, system_program("nginx"), "-e", folder / "error_log", "-c", conf)


def nginx(site: Site, name: str = "nginx-backend") -> int:
    """Its port. One process; the echo module is for what nginx's own ones cannot: read a body, wait, stand still."""
    port = free_port()
    answer = f'default_type text/plain; return 200 "{SMALL.decode()}";'
    run_nginx(site, "back", name, 1, f"""
client_body_buffer_size 2m;
server {{
  listen 127.0.0.1:{port} backlog=2048; root {site.www};
  location = /small {{ {answer} }}
  location = /upload {{ echo_read_request_body; echo_exec @small; }}
  location = /wait {{ echo_sleep 0.01; echo_exec @small; }}
  location = /idle {{ echo -n x; echo_flush; echo_sleep 3600; }}
  location @small {{ {answer} }}
}}""", f"load_module {NGINX_MODULES}/ngx_http_echo_module.so;")
    await_port(port)
    return port


def fcgi(site: Site) -> Path:
    socket = site.folder / "fcgi.socket"
    site.group.run("back", site.build / "fcgi_backend", socket, str(site.mpm.workers))
    await_path(socket)
    return socket


def uwsgi(site: Site) -> Path:
    """Two processes, since Python runs one thread at a time; more threads only for those that wait."""
    socket = site.folder / "uwsgi.socket"
    site.group.run("back", system_program("uwsgi"), "--plugin", "python3", "--master", "--die-on-term",
                   "--processes", "2", "--threads", str(16 + site.waiting // 2),
                   "--socket", socket, "--chmod-socket=666", "--listen", "1024", "--disable-logging",
                   "--wsgi-file", BACKENDS / "uwsgi_backend.py")
    await_path(socket)
    return socket


def mongrel2_handler(site: Site, requests: str, answers: str) -> None:
    site.group.run("back", site.build / "mongrel2_handler", requests, answers)


def bench_worker(site: Site, router: str, *options: str) -> None:
    """Takes as many requests as httpd has threads."""
    site.group.run("back", site.build / "bench_worker", "worker", "--router", router,
                   "--capacity", str(site.mpm.workers), *options)
