"""The backend behind mod_proxy_uwsgi, a WSGI application: the same routes and bytes as answers.hpp."""
import time

SMALL = b"Hello, World!"
BLOCK = b"x" * 65536
CHUNKS = 1600
UPLOAD = 1024 * 1024


def small(start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(SMALL)))])
    return [SMALL]


def large(start_response, chunks):
    start_response("200 OK", [("Content-Type", "application/octet-stream"),
                              ("Content-Length", str(chunks * len(BLOCK)))])
    return (BLOCK for _ in range(chunks))


def idle():
    yield b"x"
    time.sleep(3600)


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/small":
        return small(start_response)
    if path == "/64k":
        return large(start_response, 1)
    if path == "/100m":
        return large(start_response, CHUNKS)
    if path == "/upload" and sum(map(len, iter(lambda: environ["wsgi.input"].read(65536), b""))) == UPLOAD:
        return small(start_response)
    if path == "/wait":
        time.sleep(0.01)
        return small(start_response)
    if path == "/idle":
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        return idle()
    start_response("404 Not Found", [])
    return []
