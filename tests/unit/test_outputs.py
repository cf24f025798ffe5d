from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from procwrap.core.events import Level
from procwrap.outputs import MOST_ENDED, Outputs, make_outputs
from procwrap.sinks.pressure import HIGH, LAST_HIGH
from procwrap.sinks.stdout import Outlet
from procwrap.spec.plan import Plan, Settings
from procwrap.spec.probe import Pairs
from procwrap.spec.process import ProcessSpec
from tests.support.mainloop import MainLoop


class Pipe:
    """A reader of a pipe; it leaves the pressure when it is finished."""

    def __init__(self, last: bool) -> None:
        self.last = last
        self.reads = True
        self.finished = False
        self.release: Callable[[], None] = lambda: None

    def pauseProducing(self) -> None:
        self.reads = False

    def resumeProducing(self) -> None:
        self.reads = True

    def finish_now(self) -> None:
        self.finished = True
        self.release()


def outputs() -> Outputs:
    """The outputs of one process."""
    plan = Plan((ProcessSpec("api", "/bin/api"),))
    return make_outputs(plan, Settings(), MainLoop().call_in_reactor, lambda: 0.0)


def held(where: Outputs, *, last: bool) -> Any:
    """A pipe under pressure."""
    pipe: Any = Pipe(last)
    pipe.release = where.hold(pipe)
    return pipe


def test_what_ended_processes_left_is_read_while_the_others_wait() -> None:
    """Else each run of a process that crashes again and again would leave two open pipes behind."""
    made = outputs()
    running, ended = held(made, last=False), held(made, last=True)
    read = []
    for waiting in (HIGH, HIGH + 1, LAST_HIGH + 1, HIGH, 0):
        made._pressure.level(waiting)
        made._last_pressure.level(waiting)
        read.append((running.reads, ended.reads))
    assert read == [(True, True), (False, True), (False, False), (False, True), (True, True)]


def test_only_so_many_pipes_of_ended_processes_stay_open() -> None:
    """When even they wait, the oldest are read into memory: descriptors are finite."""
    made = outputs()
    made._last_pressure.level(LAST_HIGH + 1)
    pipes = [held(made, last=True) for _ in range(MOST_ENDED + 5)]
    assert [pipe.finished for pipe in pipes[:4]] == [True, True, True, False]
    assert not any(pipe.reads for pipe in pipes)
    pipes[3].release()
    held(made, last=True)
    assert not pipes[4].finished


class Stdout(Outlet):
    """Nobody reads it, and nothing is kept."""

    def __init__(self) -> None:
        super().__init__(1, lambda *_: None)

    def write(self, data: bytes, records: int) -> None:
        self.dropped_records += records


def test_output_is_counted_over_all_runs() -> None:
    """A restart goes on counting where the run before it has ended; hooks count, too."""
    made, stdout = outputs(), Stdout()
    made._stdout = made.streams.stdout = stdout
    spec = ProcessSpec("api", "/bin/api")
    for pid in range(3):
        streams = made.streams.open(spec, pid)
        streams[1].receive(b"one\ntwo\n")
        streams[2].receive(b"x\n")
    made.streams.open(spec, 9, "preStop")[1].receive(b"bye\n")
    assert list(made.streams.counts()) == [("api", "stdout", 7, 28), ("api", "stderr", 3, 6)]
    assert made.dropped() == {"stdout": 10}


class Further:
    """Another place for records: it keeps them, each with the stream it is of."""

    kind = "further"
    dropped = 7

    def __init__(self) -> None:
        self.taken: list[tuple[Pairs, bytes]] = []
        self.labels: list[Pairs] = []
        self.flushed: Deferred[None] = Deferred()

    def stream(self, ours: Pairs, labels: Pairs) -> Callable[[bytes, int], None]:
        self.labels.append(labels)
        return lambda data, records: self.taken.append((ours, data))

    def flush(self) -> Deferred[None]:
        return self.flushed


def test_a_further_sink_gets_all_records() -> None:
    """Those of each output of each process, and our own; each stream with the labels of the config."""
    plan, further = Plan((ProcessSpec("api", "/bin/api", labels=(("a", "b"),)),)), Further()
    made = make_outputs(plan, Settings(labels=(("c", "d"),)), MainLoop().call_in_reactor, lambda: 0.0)
    made.add_sink(further)
    streams = made.streams.open(plan.processes[0], 1)
    streams[2].receive(b"bad\n")
    made.own.say(Level.INFO, "hello")
    assert [ours for ours, _ in further.taken] == [
        (("name", "api"), ("out", "stderr")),
        (("name", "procwrap"),),
    ]
    assert [b"msg=bad" in further.taken[0][1], b"msg=hello" in further.taken[1][1]] == [True, True]
    assert further.labels == [(("c", "d"),), (("a", "b"),), (("a", "b"),)]
    assert made.dropped() == {"stdout": 0, "further": 7}


def test_stdout_is_flushed_last() -> None:
    """Who else has to be flushed may have something to say about it."""
    made, further = outputs(), Further()
    made.add_sink(further)
    flushed = made.flush()
    assert not flushed.called
    further.flushed.callback(None)
    assert flushed.called
