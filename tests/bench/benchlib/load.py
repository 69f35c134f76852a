"""What clients do to a server, and what they saw of it: wrk, curl, and connections that hold a response open."""
from __future__ import annotations

import http.client
import json
import selectors
import socket
import subprocess
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

WRK_SCRIPT = Path(__file__).with_name("wrk.lua")


@dataclass
class Seen:
    """By the clients. Latencies in microseconds; none where there were too few requests to speak of."""
    requests: int
    seconds: float
    bytes: int
    latency: dict[str, float] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)


def fetch(url: str, body: bytes | None = None, timeout: float = 5) -> bytes:
    """One request, for looking at what a server answers. Anything but 2xx raises an OSError."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, body, timeout) as reply:
            return reply.read()
    except http.client.HTTPException as error:
        raise ConnectionError(f"no HTTP: {error!r}") from error


def wrk(url: str, connections: int, seconds: float, post: int = 0) -> Seen:
    """Requests one after the other on every connection, kept alive. One thread: the server shares the machine."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "10s", "--latency",
               "-s", str(WRK_SCRIPT), url, *(["--", str(post)] if post else [])]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    found = json.loads(output[output.rindex('{"requests"'):])
    return Seen(found["requests"], found["microseconds"] / 1e6, found["bytes"],
                {name: float(found[name]) for name in ("p50", "p99", "p999")},
                {name: count for name, count in found["errors"].items() if count})


def downloads(url: str, size: int, seconds: float) -> Seen:
    """One after the other by curl for so long, at least one. The time is curl's own, without its start."""
    seen, end = Seen(0, 0.0, 0), time.monotonic() + seconds
    while not seen.requests or time.monotonic() < end:
        output = subprocess.run(["curl", "-sS", "--noproxy", "*", "-m", "60", "-o", "/dev/null", "-w",
                                 "%{http_code} %{size_download} %{time_total}", url],
                                capture_output=True, text=True, check=False).stdout.split()
        if output[:2] != ["200", str(size)]:
            seen.errors["broken downloads"] = seen.errors.get("broken downloads", 0) + 1
        seen.requests += 1
        seen.bytes += int(output[1])
        seen.seconds += float(output[2])
    return seen


class IdleStreams:
    """Responses that have begun, with headers and at least one byte of the body, and then stand still."""

    def __init__(self, port: int, path: str, count: int, seconds: float = 30):
        self._sockets: list[socket.socket] = []
        self._open(port, path, count, time.monotonic() + seconds)

    def __enter__(self) -> IdleStreams:
        return self

    def __exit__(self, *_) -> None:
        for connection in self._sockets:
            connection.close()

    def lost(self) -> int:
        """How many are not open and still any more: whatever can be read now was not to come."""
        count = 0
        for connection in self._sockets:
            try:
                connection.recv(4096)
                count += 1
            except BlockingIOError:
                pass
            except OSError:
                count += 1
        return count

    def _open(self, port: int, path: str, count: int, end: float) -> None:
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        waiting: dict[socket.socket, bytes] = {}
        with selectors.DefaultSelector() as selector:
            while len(self._sockets) < count or waiting:
                # Some at a time: this is not about how many may knock at once.
                while len(self._sockets) < count and len(waiting) < 100:
                    connection = socket.create_connection(("127.0.0.1", port), 5)
                    connection.sendall(request)
                    connection.setblocking(False)
                    self._sockets.append(connection)
                    waiting[connection] = b""
                    selector.register(connection, selectors.EVENT_READ)
                for key, _ in selector.select(1):
                    chunk = key.fileobj.recv(65536)
                    waiting[key.fileobj] += chunk
                    head, blank, body = waiting[key.fileobj].partition(b"\r\n\r\n")
                    if not chunk or not head.startswith(b"HTTP/1.1 200"[:len(head)]):
                        raise ConnectionError(f"an idle stream got {waiting[key.fileobj][:200]!r}")
                    if blank and body.endswith(b"x" if b"chunked" not in head.lower() else b"x\r\n"):
                        selector.unregister(key.fileobj)
                        del waiting[key.fileobj]
                if time.monotonic() > end:
                    raise TimeoutError(f"{len(waiting)} of {len(self._sockets)} idle streams did not begin")
