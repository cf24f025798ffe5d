"""``procwrap start``, ``stop``, ``restart``, ``signal``: all at once, and a line for what came of each."""

from __future__ import annotations

from procwrap.client import crowd
from procwrap.client.call import Call
from procwrap.client.fleet import fetch, nobody, path, text
from procwrap.client.host import Answer
from procwrap.client.wording import whole
from procwrap.core.printable import printable
from procwrap.errors import ExitStatus, NoHostError, OrderRefusedError, UsageError

MOST_AT_ONCE = 16
"""Procwrap lets twenty operators wait, and others may be among them."""
BUSY = 10.0
"""Seconds in which there has to be room for an order."""
PAUSE = 0.25

_ANSWERS = (200, 202, 400, 404, 409, 503)


def run(call: Call) -> int:
    """Give the order about each of the names, and tell what came of it.

    Returns:
        0 when all was done, 1 when one was refused, or not done in time; 3 when procwrap has gone away.
    """
    orders = _Orders(call)
    code = 0
    for item in crowd.at_once(list(dict.fromkeys(orders.names)), orders.give, MOST_AT_ONCE):
        if item.brought is not None:
            code = max(code, orders.tell(item.source, item.brought))
        elif isinstance(item.error, NoHostError | OrderRefusedError):
            orders.tell_trouble(item.source, str(item.error))
            code = max(code, int(item.error.exit_status))
        elif item.error is not None:
            raise item.error
    return code


class _Orders:
    """One order about several processes."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._order = call.asked.command.name
        self._is_json = call.asked.flag("json")
        self.names = call.asked.words
        self._query = self._signal = ""
        # Without a limit it takes as long as it takes: a grace, a startup, a migration.
        self._longer: float | None = None
        if self._order == "signal":
            from urllib.parse import quote

            self._signal = _signal(self.names[0])
            self._query, self._longer = f"?signal={quote(self._signal)}", 0.0
            self.names = self.names[1:]
        elif call.asked.flag("no-wait"):
            self._query, self._longer = "?wait=false", 0.0
        elif (seconds := call.asked.seconds("timeout")) is not None:
            self._query, self._longer = f"?wait={max(seconds, 0.001):.3f}s", seconds

    def give(self, name: str) -> Answer:
        """Give the order about one process; in a thread of its own."""
        where = path(name, self._order)
        if where is None:
            return Answer(404, {})
        host, clock = self._call.host, self._call.clock
        end = clock.now() + BUSY
        while (answer := host.ask(where + self._query, "POST", self._longer, _ANSWERS)).is_busy:
            if clock.now() >= end:
                break
            clock.sleep(PAUSE)
        return answer

    def tell(self, name: str, answer: Answer) -> int:
        """Print what came of it.

        Returns:
            Its part of the exit code.
        """
        if answer.status == 404:
            known = [text(each, "name") for each in fetch(self._call.host)[1]]
            # One that is known has gone and come back meanwhile.
            said = answer.error if name in known else nobody(name, known)
            return self.tell_trouble(name, said, named=name not in known)
        if answer.status not in (200, 202):
            return self.tell_trouble(name, answer.error)
        in_time = answer.status == 200 or self._call.asked.flag("no-wait")
        if self._is_json:
            self._print_json(answer.document)
        elif in_time:
            self._call.screen.line(f"{printable(name)}: {self._came(answer)}")
            self._call.screen.flush()
        else:
            seconds = self._call.asked.seconds("timeout")
            self.tell_trouble(name, f"not done within {seconds:g}s: {self._came(answer)}")
        return ExitStatus.DONE if in_time else ExitStatus.CANNOT_START

    def tell_trouble(self, name: str, why: str, named: bool = False) -> int:
        """Print why it was not done, on stderr, or as JSON among the others."""
        if self._is_json:
            self._print_json({"name": name, "error": why})
        else:
            # What procwrap says of a process mostly begins with its name.
            self._call.screen.say(why if named or why.startswith(f"{name} ") else f"{name}: {why}")
        return ExitStatus.CANNOT_START

    def _print_json(self, document: object) -> None:
        from json import dumps

        self._call.screen.line(dumps(document))
        self._call.screen.flush()

    def _came(self, answer: Answer) -> str:
        document = answer.document
        if self._order == "signal":
            return f"sent {self._signal}"
        state = printable(text(document, "state")) or "done"
        pid = document.get("pid")
        reason = printable(text(document, "reason"))
        if reason.startswith(state):
            return reason
        return state + (f", pid {whole(pid)}" if pid is not None else "") + (f": {reason}" if reason else "")


def _signal(word: str) -> str:
    """Return the name of a signal as procwrap takes it.

    Raises:
        UsageError: there is none of that name or number.
    """
    from procwrap.config.units import signal_number

    try:
        signal_number(word)
    except ValueError as error:
        raise UsageError(f"procwrap signal SIGNAL NAME...: {error}") from None
    return word.upper()
