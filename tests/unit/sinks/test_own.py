from __future__ import annotations

import pytest
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure

from procwrap.core.events import (
    End,
    Ended,
    Event,
    Hurried,
    Level,
    Notice,
    ProbeResult,
    RestartCause,
    Restarting,
    RoundEnded,
    ShutdownBegan,
    SignalReceived,
    Spawned,
    StateChanged,
)
from procwrap.core.lifecycle import State
from procwrap.core.snapshot import Snapshot
from procwrap.sinks.own import OwnLog
from procwrap.sinks.wording import message


def changed(state: State, reason: str = "") -> StateChanged:
    return StateChanged("api", state, 1.0, 2.0, reason)


def ended(end: End, success: bool, pid: int | None = 31) -> Ended:
    return Ended("api", pid, end, 1.5, 1.0, 2.0, success)


def failed_round(
    failures: int, counted: bool = True, recovered: bool = False, ok: bool = False
) -> RoundEnded:
    result = ProbeResult("tcp", ok, "" if ok else "127.0.0.1:80: connection refused", 0.1)
    return RoundEnded("api", "readiness", (result,), failures, 3, counted, recovered, 2.0)


@pytest.mark.parametrize(
    ("event", "level", "text"),
    [
        (Spawned("api", 31, 1.0, 2.0), Level.INFO, "started"),
        (ended(End(code=0), True), Level.INFO, "exit code 0"),
        (ended(End(code=3), False), Level.WARNING, "exit code 3"),
        (ended(End(signal=9), False), Level.WARNING, "ended by SIGKILL"),
        (ended(End(code=127, reason="cannot execute x"), False, None), Level.ERROR, "cannot execute x"),
        (Restarting("api", RestartCause.EXIT, 0.0, ""), Level.INFO, "restarts at once"),
        (Restarting("api", RestartCause.EXIT, 1.5, ""), Level.INFO, "restarts in 1.5s"),
        (changed(State.FAILED, "given up"), Level.ERROR, "failed: given up"),
        (changed(State.STOPPING), Level.INFO, "stopping"),
        (changed(State.WAITING, "waits for db"), Level.INFO, "waiting: waits for db"),
        (failed_round(1), Level.WARNING, "127.0.0.1:80: connection refused"),
        (failed_round(3), Level.ERROR, "127.0.0.1:80: connection refused"),
        (failed_round(0, counted=False), Level.DEBUG, "127.0.0.1:80: connection refused"),
        (failed_round(0, recovered=True, ok=True), Level.INFO, "recovered"),
        (ShutdownBegan("SIGTERM", 15), Level.INFO, "shutting down: SIGTERM"),
        (Hurried("SIGINT"), Level.WARNING, "no more grace: SIGINT"),
        (SignalReceived(15), Level.DEBUG, "received SIGTERM"),
        (Notice(Level.ERROR, "hello", "api"), Level.ERROR, "hello"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str | Level) else "",
)
def test_what_is_said_about_an_event(event: Event, level: Level, text: str) -> None:
    """In words for a person, as severe as it is."""
    said = message(event)
    assert said is not None
    assert (said.level, said.text) == (level, text)


@pytest.mark.parametrize(
    "event",
    [changed(State.WAITING), changed(State.STARTING), changed(State.EXITED), failed_round(0, ok=True)],
    ids=["waiting for nothing", "starting", "exited", "a good round"],
)
def test_what_nobody_needs_to_read_is_not_said(event: Event) -> None:
    """Other events tell it already, or nothing happened."""
    assert message(event) is None


class Log:
    """An own log and what it wrote."""

    def __init__(self, log_format: str = "logfmt", least: Level = Level.INFO) -> None:
        self.records: list[bytes] = []
        self.own = OwnLog(self.records.append, lambda: 1.5, log_format, least)

    @property
    def text(self) -> str:
        return b"".join(self.records).decode()


def test_an_event_is_a_record_like_those_of_the_children() -> None:
    """name=procwrap, and the process it is about as a field."""
    log = Log()
    log.own.watch(Snapshot(), ended(End(code=3), False))
    assert log.text == (
        'time="1970-01-01T00:00:01.500Z" level=warning msg="exit code 3" name=procwrap process=api child=31'
        " exit_code=3 ran_for=1.500s\n"
    )


def test_what_is_less_severe_is_left_out() -> None:
    """Debug messages need --debug; around a wrapped command only errors are worth a word."""
    log = Log(least=Level.ERROR)
    for level in Level:
        log.own.say(level, level.value)
    assert [word in log.text for word in ("debug", "info", "warning", "msg=error", "msg=fatal")] == [
        False,
        False,
        False,
        True,
        True,
    ]


def test_a_failure_in_twisted_is_one_line() -> None:
    """The error, its type and its place; never a traceback."""
    log = Log()
    logger = Logger(observer=log.own)
    try:
        raise ValueError("a bug\nin two lines")
    except ValueError:
        logger.failure("the end of pid {pid} could not be handled", pid=31)
    assert log.text.count("\n") == 1
    assert "the end of pid 31 could not be handled: ValueError: a bug\\nin two lines at " in log.text
    assert "level=error" in log.text


def test_an_unhandled_error_in_a_deferred_is_told() -> None:
    """Twisted's old way to log, without a message of its own."""
    log = Log()
    log.own({"log_level": LogLevel.critical, "log_failure": Failure(KeyError("x")), "isError": 1})
    assert "unexpected error: KeyError" in log.text


def test_what_twisted_says_about_itself_is_for_debugging() -> None:
    """Factories and ports starting are nobody's business."""
    log = Log()
    Logger(observer=log.own).info("Site starting on 8111")
    assert log.records == []


def test_a_broken_watcher_is_told_in_one_line() -> None:
    """The Board reports it here."""
    log = Log("json")
    log.own.broken(RuntimeError("oops"))
    assert '"msg":"a bug in procwrap: RuntimeError(\'oops\')"' in log.text.replace('": "', '":"')
