"""This module and its peers: each with its backend, in the configuration that its own manual advises for this."""
from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from . import backends, httpd
from .backends import Site
from .processes import await_port, free_port

BASE = "mod_proxy_http"
# Of all peers, and of the load.
PACKAGES = ("wrk", "nginx-light", "libnginx-mod-http-echo", "haproxy", "mongrel2-core", "uwsgi-core",
            "uwsgi-plugin-python3")


@dataclass(frozen=True)
class Peer:
    name: str
    start: Callable[[Site], None]
    cannot: Mapping[str, str] = field(default_factory=dict)  # workload -> why


def static_file(site: Site) -> None:
    httpd.start(site.group, site.port, site.mpm, [], f'DocumentRoot "{site.www}"\n')


def proxy_http(site: Site) -> None:
    backend = backends.nginx(site)
    httpd.start(site.group, site.port, site.mpm, ["proxy", "proxy_http"],
                f'ProxyPass "/" "http://127.0.0.1:{backend}/"\n')


def proxy_balancer(site: Site) -> None:
    members = [backends.nginx(site, f"nginx-{number}") for number in (1, 2)]
    lines = "".join(f'BalancerMember "http://127.0.0.1:{port}"\n' for port in members)
    httpd.start(site.group, site.port, site.mpm,
                ["proxy", "proxy_http", "slotmem_shm", "proxy_balancer", "lbmethod_byrequests"],
                f'<Proxy "balancer://both">\n{lines}</Proxy>\nProxyPass "/" "balancer://both/"\n')


def proxy_fcgi(site: Site) -> None:
    """Without flushpackets it would keep the first byte of a response that stands still."""
    url = f'"unix:{backends.fcgi(site)}|fcgi://localhost{{path}}" enablereuse=on'
    httpd.start(site.group, site.port, site.mpm, ["proxy", "proxy_fcgi"],
                f'ProxyPass "/idle" {url.format(path="/idle")} flushpackets=on\nProxyPass "/" {url.format(path="/")}\n')


def proxy_uwsgi(site: Site) -> None:
    """A connection for each request: uwsgi's protocol has no other way."""
    httpd.start(site.group, site.port, site.mpm, ["proxy", "proxy_uwsgi"],
                f'ProxyPass "/" "unix:{backends.uwsgi(site)}|uwsgi://localhost/"\n')


def nginx(site: Site) -> None:
    backend = backends.nginx(site)
    backends.run_nginx(site, "front", "nginx-front", os.cpu_count() or 1, f"""
upstream backend {{ server 127.0.0.1:{backend}; keepalive 1024; keepalive_requests 1000000000; keepalive_timeout 300; }}
server {{
  listen 127.0.0.1:{site.port} backlog=2048;
  location / {{
    proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_read_timeout 300;
    proxy_request_buffering off; proxy_max_temp_file_size 0;
  }}
}}""")


def haproxy(site: Site) -> None:
    backend = backends.nginx(site)
    conf = site.folder / "haproxy.cfg"
    conf.write_text(f"""
global
  nbthread {os.cpu_count() or 1}
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  http-reuse always
frontend clients
  bind 127.0.0.1:{site.port} backlog 2048
  default_backend backend
backend backend
  server nginx 127.0.0.1:{backend}
""")
    site.group.run("front", backends.system_program("haproxy"), "-db", "-f", conf)


def mongrel2(site: Site) -> None:
    """Its flow control costs a message for each response, so it is on only where there is no other way."""
    requests, answers = (f"tcp://127.0.0.1:{free_port()}" for _ in range(2))
    folder = site.folder / "mongrel2"
    for name in ("logs", "run", "tmp"):
        (folder / name).mkdir(parents=True)
    (folder / "mongrel2.conf").write_text(f"""
handler = Handler(send_spec='{requests}', send_ident='bench', recv_spec='{answers}', recv_ident='')
main = Server(uuid='bench', access_log='/logs/access_log', error_log='/logs/error_log', chroot='./',
  pid_file='/run/pid', default_host='127.0.0.1', name='bench', bind_addr='127.0.0.1', port={site.port},
  hosts=[Host(name='127.0.0.1', routes={{'/': handler}})])
settings = {{'server.daemonize': 0, 'disable.access_logging': 1, 'limits.content_length': 4194304,
  'download.flow_control': {int(site.flow)}, 'limits.min_ping': 0, 'limits.min_write_rate': 0,
  'limits.min_read_rate': 0, 'limits.kill_limit': 0}}
servers = [main]
""")
    subprocess.run([backends.system_program("m2sh"), "load", "-config", "mongrel2.conf", "-db", "config.sqlite"],
                   cwd=folder, check=True, capture_output=True, timeout=20)
    site.group.run("front", backends.system_program("mongrel2"), "config.sqlite", "bench", cwd=folder)
    await_port(site.port)
    backends.mongrel2_handler(site, requests, answers)


def zmqspdy(site: Site, *worker_options: str) -> None:
    router = f"tcp://127.0.0.1:{free_port()}"
    httpd.start(site.group, site.port, site.mpm, [],
                f"LoadModule zmqspdy_module {site.build}/mod_zmqspdy.so\nZmqSpdyListen {router}\n"
                'ZmqSpdyTimeout 300\n<Location "/">\nSetHandler zmq-spdy\n</Location>\n')
    backends.bench_worker(site, router, *worker_options)


NO_PROGRAM = "a file has no program behind it"

PEERS = {peer.name: peer for peer in (
    Peer("static-file", static_file, dict.fromkeys(("upload", "idle", "wait"), NO_PROGRAM)),
    Peer(BASE, proxy_http),
    Peer("mod_proxy_balancer", proxy_balancer),
    Peer("mod_proxy_fcgi", proxy_fcgi),
    Peer("mod_proxy_uwsgi", proxy_uwsgi),
    Peer("nginx", nginx),
    Peer("haproxy", haproxy),
    Peer("mongrel2", mongrel2),
    Peer("mod_zmqspdy", zmqspdy),
    Peer("mod_zmqspdy-relayed", lambda site: zmqspdy(site, "--relay")))}
