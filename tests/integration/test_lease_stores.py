"""What every store of the lock server keeps: SQLite in memory, SQLite on disk, and a real etcd."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from tests.support.lockhost import LockHost, Said
from tests.support.servers import etcd


@pytest.fixture(scope="module", params=["memory", "file", "etcd"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LockHost]:
    """A server on each store in turn, past the time in which one without a past grants nothing."""
    home = tmp_path_factory.mktemp(request.param)
    embedded = ["--shared-lock-max-ttl", "2s"]
    if request.param == "etcd":
        if not etcd.available():
            pytest.skip(etcd.MISSING)
        with etcd.Etcd() as cluster, LockHost(home, environment=cluster.environment) as host:
            yield host.granting()
        return
    file = ["--shared-lock-store", str(home / "leases")] if request.param == "file" else []
    with LockHost(home, [*embedded, *file]) as host:
        yield host.granting()


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """A lock that no other test uses."""
    return f"lock/{request.node.originalname}".replace("_", "-")


def test_one_holder_at_a_time(server: LockHost, key: str) -> None:
    """The second who asks hears who holds the lock, and gets it when it was given back."""
    first = server.lease(key, "pod-ü")
    assert (first.code, first.ttl) == (201, 2.0)
    second = server.lease(key, "pod-2")
    assert (second.code, second.body, second.headers["x-lease-holder"]) == (202, "0", "pod-%C3%BC")
    assert second.headers["x-lease-reason"] == "held by pod-%C3%BC"
    assert server.release(first.body) == 200
    third = server.lease(key, "pod-2")
    assert third.code == 201
    assert third.token > first.token
    assert server.release(first.body) == 204
    assert server.keep(first.body) == 204
    assert server.keep(third.body) == 200


def test_a_lease_that_nobody_keeps_is_over(server: LockHost, key: str) -> None:
    """Not before its TTL has passed, and soon after; meanwhile keepalives kept it for longer."""
    first = server.lease(key, ttl="1s")
    for _ in range(3):
        time.sleep(0.5)
        kept = time.monotonic()
        assert server.keep(first.body) == 200
    server.until_acquired(key, "pod-2", seconds=20)
    assert 1.0 <= time.monotonic() - kept < 3.5
    assert server.keep(first.body) == 204


def test_a_lost_answer_is_found_again(server: LockHost, key: str) -> None:
    """The same request gets the same lease; another request of the same name does not."""
    first = server.lease(key, x_lease_request="5f0c-1")
    again = server.lease(key, x_lease_request="5f0c-1")
    assert (again.code, again.body, again.token) == (201, first.body, first.token)
    assert server.lease(key, x_lease_request="5f0c-2").code == 202
    assert server.lease(key).code == 202


def test_of_many_who_ask_one_gets_it(server: LockHost, key: str) -> None:
    """However many ask in the same moment."""
    answers: list[Said] = []

    def ask(number: int) -> None:
        answers.append(server.lease(key, f"pod-{number}"))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said.code for said in answers) == [201] + [202] * 19


def test_who_waits_gets_it_when_it_is_given_back(server: LockHost, key: str) -> None:
    """In a moment, and in the order in which they came."""
    first = server.lease(key)
    order: list[tuple[str, float]] = []

    def wait(name: str) -> None:
        said = server.lease(key, name, x_lease_wait="20s")
        order.append((name, time.monotonic()))
        server.release(said.body)

    threads = []
    for name in ("pod-2", "pod-3"):
        threads.append(threading.Thread(target=wait, args=(name,)))
        threads[-1].start()
        time.sleep(0.3)
    released = time.monotonic()
    assert server.release(first.body) == 200
    for thread in threads:
        thread.join()
    assert [name for name, _ in order] == ["pod-2", "pod-3"]
    assert order[0][1] - released < 1.0


def test_waiting_has_an_end(server: LockHost, key: str) -> None:
    """Who waits for no longer than a moment hears who holds the lock."""
    server.lease(key)
    began = time.monotonic()
    said = server.lease(key, "pod-2", x_lease_wait="300ms")
    assert (said.code, said.headers["x-lease-holder"]) == (202, "pod-1")
    assert 0.3 <= time.monotonic() - began < 2.5


def test_short_ttls_are_rounded_up(server: LockHost, key: str) -> None:
    """To what the store can do, and the answer says so."""
    said = server.lease(key, ttl="10ms")
    assert said.code == 201
    assert 1.0 <= said.ttl <= 3.0


def test_what_is_wrong_is_said(server: LockHost, key: str) -> None:
    """400 with the reason, 405 for what is no POST; nothing is taken by any of them."""
    wrong = [
        server.ask("POST", "/lease", b"nonsense"),
        server.ask("POST", "/lease", b'{"key": "a b"}'),
        server.lease(key, ttl="5"),
        server.lease(key, ttl="often"),
        server.ask("POST", "/keepalive", b"x"),
        server.ask("POST", "/release", b""),
    ]
    assert [said.code for said in wrong] == [400] * 6
    assert all(said.json["error"] for said in wrong)
    body = f'{{"key": "{key}", "value": ""}}'.encode()
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        assert server.ask(method, "/lease", body).code == 405
    assert server.ask("POST", "/lease", b"x" * 20_000).code == 400
    assert server.ask("POST", "/lease", b"x" * 200_000).code == 413
    assert server.lease(key).code == 201


def test_what_is_held_can_be_seen(server: LockHost, key: str) -> None:
    """By whom, since when, with which labels; but not what would let others release it."""
    said = server.lease(key, "pod-ü")
    listed = server.ask("GET", "/leases")
    assert listed.code == 200
    (lease,) = [each for each in listed.json["leases"] if each["key"] == key]
    assert (lease["value"], lease["labels"], lease["timestamp"]) == ("pod-ü", {"app": "test"}, "now")
    assert lease["fencingToken"] == said.token
    assert lease["since"].startswith("20")
    assert said.body not in listed.body


def test_it_can_be_measured(server: LockHost, key: str) -> None:
    """Health, and metrics that count what was answered."""
    server.lease(key)
    server.lease(key)
    assert server.ask("GET", "/health").code == 200
    page = server.ask("GET", "/metrics").body
    values = dict(line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))
    assert float(values["procwrap_lock_leases"]) >= 1
    assert float(values["procwrap_lock_acquired_total"]) >= 1
    assert float(values["procwrap_lock_refused_total"]) >= 1
    assert float(values['procwrap_lock_request_duration_seconds_count{endpoint="/lease"}']) >= 2
