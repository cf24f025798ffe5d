"""naivemerger.py PORT URL…: /prommerge as one writes it with prometheus-client and the standard library.

It asks all targets at once over connections that are kept, reads each answer with the reference parser, adds
the label ``process_name`` and writes the union with ``generate_latest``. Families that targets have in common
become one; nothing is checked, bounded or timed.
"""

from __future__ import annotations

import http.client
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

from prometheus_client import generate_latest
from prometheus_client.core import Metric, Sample
from prometheus_client.parser import text_string_to_metric_families

KEPT = threading.local()


def fetch(url: str) -> str:
    """Ask one target."""
    parts = urlsplit(url)
    connections: dict[str, http.client.HTTPConnection] = KEPT.__dict__
    connection = connections.setdefault(parts.netloc, http.client.HTTPConnection(parts.netloc))
    connection.request("GET", parts.path)
    return connection.getresponse().read().decode()


class Union:
    """A collector of what all targets have sent."""

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    def collect(self) -> Iterator[Metric]:
        """Yield each family once."""
        families: dict[str, Metric] = {}
        for number, text in enumerate(self.texts):
            for family in text_string_to_metric_families(text):
                union = families.setdefault(
                    family.name, Metric(family.name, family.documentation, family.type)
                )
                union.samples += [_labelled(sample, f"child{number}") for sample in family.samples]
        yield from families.values()


def _labelled(sample: Sample, process: str) -> Sample:
    return sample._replace(labels={"process_name": process, **sample.labels})


def serve(port: int, urls: list[str]) -> None:
    """Answer every request until this process is killed."""
    pool = ThreadPoolExecutor(len(urls))

    class Answer(BaseHTTPRequestHandler):
        """Answers one request."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = generate_latest(Union(list(pool.map(fetch, urls))))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    HTTPServer(("127.0.0.1", port), Answer).serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2:])
