"""The outlet in a process of its own, with the real reactor and readers that behave badly."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0

# Writes numbered lines as fast as it is let, from a producer that honours the pressure; measures how late the
# reactor's timer is meanwhile; flushes, and says on stderr what became of it.
PROGRAM = """
import sys, time
from twisted.internet import reactor
from twisted.internet.task import LoopingCall
from procwrap.sinks.pressure import Pressure
from procwrap.sinks.stdout import Outlet

chunks, flush_for, gives_up = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3] == "gives_up"

class Producer:
    paused = False
    sent = 0
    late = 0.0
    def pauseProducing(self): self.paused = True
    def resumeProducing(self): self.paused = False
    def run(self):
        if not self.paused and self.sent < chunks:
            first = self.sent * 1000
            outlet.write(b"".join(b"%09d\\n" % n for n in range(first, first + 1000)), 1000)
            self.sent += 1
        if self.sent < chunks and not (gives_up and self.paused):
            reactor.callLater(0, self.run)
        else:
            self.end()
    def end(self):
        reactor.callLater(flush_for, reactor.stop)
        outlet.flush().addCallback(lambda _: reactor.running and reactor.stop())
    def tick(self):
        now = time.monotonic()
        self.late = max(self.late, now - self.last - 0.01)
        self.last = now

producer, pressure = Producer(), Pressure(high=1 << 20, low=1 << 19)
pressure.register(producer)
outlet = Outlet(1, reactor.callFromThread, pressure)
producer.last = time.monotonic()
LoopingCall(producer.tick).start(0.01)
reactor.callWhenRunning(producer.run)
reactor.run()
settled = outlet.close(0)
print(producer.sent, outlet.dropped_records, settled, round(producer.late, 3), file=sys.stderr)
"""


def start(chunks: int, flush_for: float = PATIENCE, mode: str = "waits") -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(chunks), str(flush_for), mode],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def verdict(process: subprocess.Popen[bytes]) -> list[str]:
    """Wait for the end and return what the program said about itself."""
    assert process.stderr is not None
    assert process.stdout is not None
    said = process.stderr.read().decode()
    assert process.wait(PATIENCE) == 0, said
    process.stdout.close()
    process.stderr.close()
    return said.split()


def test_a_slow_reader_gets_every_line_and_holds_up_nobody() -> None:
    """Nothing is lost or out of order, and the reactor's timers are punctual while the children wait."""
    process = start(400)
    assert process.stdout is not None
    received = []
    while data := os.read(process.stdout.fileno(), 65536):
        received.append(data)
        time.sleep(0.01)
    assert b"".join(received) == b"".join(b"%09d\n" % number for number in range(400_000))
    sent, dropped, settled, late = verdict(process)
    assert (sent, dropped, settled) == ("400", "0", "True")
    assert float(late) < 0.5


def test_a_reader_that_never_reads_does_not_keep_the_process() -> None:
    """When the deadline is over, procwrap ends, and counts what nobody wanted."""
    process = start(10_000, 0.1, "gives_up")
    assert process.stderr is not None
    assert select.select([process.stderr], [], [], PATIENCE)[0], "it does not end"
    sent, dropped, settled, _ = verdict(process)
    assert settled == "False"
    assert 1_000_000 < int(dropped) * 10 <= int(sent) * 10_000


def test_a_reader_that_leaves_does_not_end_the_process() -> None:
    """Everything goes on, into nothing."""
    process = start(300)
    assert process.stdout is not None
    assert os.read(process.stdout.fileno(), 10) == b"000000000\n"
    process.stdout.close()
    sent, dropped, settled, _ = verdict(process)
    assert (sent, settled) == ("300", "True")
    assert int(dropped) > 200_000
