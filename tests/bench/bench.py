#!/usr/bin/env python3
"""What a small response costs: this module beside a static file of httpd's own and mod_proxy_http before nginx.

All three answer the same 13 bytes from an httpd with the same settings. All are started once and measured in turn,
round after round, so that a disturbance of the machine hits each of them alike; the table shows medians. CPU per
request is user and system time of every process that has a part in it (httpd's, nginx's, the workers'), not of wrk.

Needs wrk, nginx and httpd (Debian: apt-get install wrk nginx-light apache2-bin) and a release build.
"""
import argparse
import contextlib
import grp
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

BODY = b"Hello from w\n"  # 13 bytes
TICKS = os.sysconf("SC_CLK_TCK")
MPM = """
StartServers 2
ServerLimit 4
ThreadsPerChild 64
MinSpareThreads 64
MaxSpareThreads 256
MaxRequestWorkers 256
KeepAlive On
MaxKeepAliveRequests 0
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def apxs(variable):
    return subprocess.run(["apxs", "-q", variable], capture_output=True, text=True, check=True).stdout.strip()


def httpd_program():
    return str(Path(apxs("SBINDIR")) / apxs("PROGNAME"))


def load_modules(names):
    folder = Path(apxs("LIBEXECDIR"))
    for name in names:
        if (folder / f"mod_{name}.so").exists():
            yield f"<IfModule !{name}_module>\nLoadModule {name}_module {folder}/mod_{name}.so\n</IfModule>\n"


class Peer:
    """Processes that together answer GET / with the 13 bytes."""

    def __init__(self, name, folder):
        self.name, self.folder, self.port, self.processes = name, folder / name, free_port(), []
        self.folder.mkdir()

    def run(self, *command):
        log = open(self.folder / "output", "ab")
        self.processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                               start_new_session=True))
        log.close()

    def httpd(self, modules, lines):
        user = ""
        if os.geteuid() == 0:
            groups = {entry.gr_name for entry in grp.getgrall()}
            user = "User www-data\nGroup www-data\n" if "www-data" in groups else "User nobody\nGroup #65534\n"
        conf = self.folder / "httpd.conf"
        conf.write_text(
            f'ServerRoot "{self.folder}"\nDefaultRuntimeDir "{self.folder}"\nPidFile httpd.pid\nServerName localhost\n'
            f"Listen 127.0.0.1:{self.port}\nErrorLog error_log\n{user}"
            + "".join(load_modules(["mpm_event", "unixd", "authz_core", *modules])) + MPM + lines)
        self.run(httpd_program(), "-d", str(self.folder), "-f", str(conf), "-DFOREGROUND")

    def stop(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def wait_until_right(self):
        end = time.monotonic() + 20
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=2) as reply:
                    body = reply.read()
                if body == BODY:
                    return
                problem = f"it answers {body!r}"
            except OSError as error:
                problem = str(error)
            if time.monotonic() > end:
                logs = "".join(f.read_text(errors="replace") for f in self.folder.glob("*o*t*") if f.is_file())
                sys.exit(f"{self.name} does not serve: {problem}\n{logs}")
            time.sleep(0.05)

    def cpu_seconds(self):
        """User and system time of the whole tree, reaped children included."""
        children, times = {}, {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                with contextlib.suppress(OSError):
                    fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
                    children.setdefault(int(fields[1]), []).append(int(entry))
                    times[int(entry)] = sum(map(int, fields[11:15])) / TICKS
        todo, total = [process.pid for process in self.processes], 0.0
        while todo:
            pid = todo.pop()
            total += times.get(pid, 0.0)
            todo += children.get(pid, [])
        return total


def static_file(folder):
    peer = Peer("static file", folder)
    (peer.folder / "htdocs").mkdir()
    (peer.folder / "htdocs/index.html").write_bytes(BODY)
    peer.httpd(["dir"], f'DocumentRoot "{peer.folder}/htdocs"\nDirectoryIndex index.html\nEnableMMAP on\n')
    return peer


def proxy_http(folder):
    peer = Peer("mod_proxy_http", folder)
    backend = free_port()
    user = "user www-data;" if os.geteuid() == 0 else ""
    (peer.folder / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; pid {peer.folder}/nginx.pid; {user}
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 1h;
  client_body_temp_path {peer.folder}/b; proxy_temp_path {peer.folder}/p; fastcgi_temp_path {peer.folder}/f;
  uwsgi_temp_path {peer.folder}/u; scgi_temp_path {peer.folder}/s;
  server {{ listen 127.0.0.1:{backend}; location / {{ default_type text/plain; return 200 "Hello from w\\n"; }} }}
}}
""")
    peer.run(shutil.which("nginx") or "/usr/sbin/nginx", "-e", f"{peer.folder}/error_nginx", "-c",
             f"{peer.folder}/nginx.conf")
    peer.httpd(["proxy", "proxy_http"], f'ProxyPass "/" "http://127.0.0.1:{backend}/"\n')
    return peer


def zmqspdy(folder, build, workers, relay):
    peer = Peer("mod_zmqspdy, relayed" if relay else "mod_zmqspdy", folder)
    worker_port = free_port()
    peer.httpd([], f"LoadModule zmqspdy_module {build}/mod_zmqspdy.so\nZmqSpdyListen tcp://127.0.0.1:{worker_port}\n"
                   '<Location "/">\nSetHandler zmq-spdy\n</Location>\n')
    for _ in range(workers):
        peer.run(f"{build}/hello", "w", "--router", f"tcp://127.0.0.1:{worker_port}", *(["--relay"] if relay else []))
    return peer


def microseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]


def measure(peer, concurrency, seconds):
    def wrk(duration):
        return subprocess.run(["wrk", "-t1", f"-c{concurrency}", f"-d{duration}s", "--latency",
                               f"http://127.0.0.1:{peer.port}/"], capture_output=True, text=True, check=True).stdout
    wrk(1)  # connections, threads and caches are there from here on
    before = peer.cpu_seconds()
    output = wrk(seconds)
    cpu = peer.cpu_seconds() - before
    trouble = re.findall(r"^\s*(?:Socket errors|Non-2xx).*", output, re.M)
    if trouble:
        print(f"{peer.name}, c{concurrency}: {'; '.join(trouble)}", file=sys.stderr)
    requests = int(re.search(r"(\d+) requests in", output)[1])
    return {"cpu": cpu / requests * 1e6, "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1]),
            "p50": microseconds(re.search(r"^\s+50%\s+(\S+)", output, re.M)[1])}


def table(results, peers, concurrencies):
    base = "mod_proxy_http"
    print(f"\n{'':22}{'CPU us/request':>24}{'requests/s':>24}{'p50 us':>24}")
    for concurrency in concurrencies:
        print(f"concurrency {concurrency}")
        medians = {peer.name: {key: statistics.median(run[key] for run in results[peer.name, concurrency])
                               for key in ("cpu", "rate", "p50")} for peer in peers}
        for name, row in medians.items():
            cells = "".join(f"{row[key]:>14.{0 if key == 'rate' else 1}f} ({row[key] / medians[base][key]:.2f} x)"
                            for key in ("cpu", "rate", "p50"))
            print(f"  {name:22}{cells}")
    print(f"\nMedians; in parentheses the ratio to {base}.")


def main():
    root = Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--build", type=Path, default=root / "build", help="the folder of mod_zmqspdy.so and hello")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement")
    parser.add_argument("--concurrency", default="1,32,100", help="numbers of connections, with commas")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--relayed", action="store_true", help="measure the relayed path as well")
    options = parser.parse_args()
    build = options.build.resolve()
    concurrencies = [int(word) for word in options.concurrency.split(",")]
    for program in ("wrk", "nginx", "apxs"):
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin"):
            sys.exit(f"{program} is missing; on Debian: apt-get install wrk nginx-light apache2-bin apache2-dev")

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    peers = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        try:
            starters = [static_file, proxy_http, lambda where: zmqspdy(where, build, options.workers, False)]
            if options.relayed:
                starters.append(lambda where: zmqspdy(where, build, options.workers, True))
            for start in starters:
                peers.append(start(folder))
            for peer in peers:
                peer.wait_until_right()
            results = {}
            for number in range(options.rounds):
                for concurrency in concurrencies:
                    for peer in peers:
                        results.setdefault((peer.name, concurrency), []).append(
                            measure(peer, concurrency, options.seconds))
                print(f"round {number + 1} of {options.rounds} done", file=sys.stderr)
            table(results, peers, concurrencies)
        finally:
            for peer in peers:
                peer.stop()


if __name__ == "__main__":
    main()
