"""exposer.py TARGETS: serve 2,000 series on each of so many ports, print the ports as JSON.

One process and one epoll set for all of them, and bodies made beforehand: what is measured is who asks.
"""

from __future__ import annotations

import gc
import json
import select
import socket
import sys
from collections.abc import Iterator

SERIES = 2000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: %d\r\n\r\n"
BOUNDS = ("0.005", "0.01", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf")


def exposition(target: int) -> bytes:
    """Families as services have them: 40 counters, 16 gauges and 10 histograms, with labels."""
    lines = [line for number in range(40) for line in _counter(f"app_part{number}_requests_total", target)]
    lines += [line for number in range(16) for line in _gauge(f"app_part{number}_connections", target)]
    lines += [line for number in range(10) for line in _histogram(f"app_part{number}_seconds", target)]
    return "".join(f"{line}\n" for line in lines).encode()


def _counter(name: str, target: int) -> Iterator[str]:
    yield f"# HELP {name} Requests that this part has answered since the start."
    yield f"# TYPE {name} counter"
    for number in range(20):
        labels = f'method="{"GET" if number % 2 else "POST"}",path="/api/v1/items/{number // 2}",code="200"'
        yield f"{name}{{{labels}}} {(target + 1) * 1000 + number}"


def _gauge(name: str, target: int) -> Iterator[str]:
    yield f"# HELP {name} Connections that are open now."
    yield f"# TYPE {name} gauge"
    for number in range(10):
        yield f'{name}{{peer="10.0.0.{number}:5432",state="idle"}} {target + number / 10}'


def _histogram(name: str, target: int) -> Iterator[str]:
    yield f"# HELP {name} How long an answer took."
    yield f"# TYPE {name} histogram"
    for number in range(8):
        labels = f'method="GET",path="/api/v1/items/{number}"'
        for place, bound in enumerate(BOUNDS):
            yield f'{name}_bucket{{{labels},le="{bound}"}} {(place + 1) * 10 + target}'
        yield f"{name}_sum{{{labels}}} {123.456 + number}"
        yield f"{name}_count{{{labels}}} {100 + target}"


def serve(count: int) -> None:
    """Answer every request, whatever it asks for, until this process is killed."""
    ready, listeners, clients = select.epoll(), {}, {}
    for target in range(count):
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        body = exposition(target)
        listeners[listener.fileno()] = listener, HEAD % len(body) + body
        ready.register(listener, select.EPOLLIN)
    ports = [listener.getsockname()[1] for listener, _ in listeners.values()]
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    while True:
        for number, _ in ready.poll():
            if number in listeners:
                listener, answer = listeners[number]
                client, _ = listener.accept()
                client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
                clients[client.fileno()] = client, answer
                ready.register(client, select.EPOLLIN)
                continue
            client, answer = clients[number]
            head = client.recv(65536)
            if head.endswith(b"\r\n\r\n"):
                client.sendall(answer)
            elif not head:
                ready.unregister(client)
                client.close()
                del clients[number]


if __name__ == "__main__":
    gc.disable()
    serve(int(sys.argv[1]))
