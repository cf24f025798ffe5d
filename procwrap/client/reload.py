"""``procwrap reload``: have the config read again, and show what has changed."""

from __future__ import annotations

from collections.abc import Mapping

from procwrap.client.call import Call
from procwrap.client.fleet import part
from procwrap.client.wording import number
from procwrap.core.printable import printable
from procwrap.errors import ExitStatus


def run(call: Call) -> int:
    """Have it done.

    Returns:
        0 when everything is as the config says; 1 when the config is wrong, or a process did not come up.
    """
    answer = call.host.ask("/api/reload", "POST", None, (200, 409, 422))
    document = answer.document
    if call.asked.flag("json"):
        from json import dumps

        call.screen.line(dumps(document, indent=2))
    elif answer.status == 200:
        for line in changes(document):
            call.screen.line(line)
        for name, reason in part(document, "failed").items():
            call.screen.say(f"{name}: {_words(reason)}")
    else:
        for line in mistakes(document) or [answer.error]:
            call.screen.say(line)
    good = answer.status == 200 and not document.get("failed")
    return ExitStatus.DONE if good else ExitStatus.CANNOT_START


def changes(document: Mapping[str, object]) -> list[str]:
    """Write the difference, a line for each kind of change, and one for each process with its keys."""
    lines = [
        f"{word}: {', '.join(names)}" for word in ("added", "removed") if (names := _names(document, word))
    ]
    for word in ("restarted", "adjusted"):
        lines += [
            f"{word}: {printable(name)}" + (f" ({', '.join(_texts(keys))})" if _texts(keys) else "")
            for name, keys in part(document, word).items()
        ]
    same = number(document.get("unchanged"))
    if same is not None:
        lines.append(f"unchanged: {same:.0f}" if lines else f"nothing has changed in {same:.0f} processes")
    if later := _names(document, "needsRestart"):
        lines.append(f"takes effect when procwrap itself is started again: {', '.join(later)}")
    return lines + [f"warning: {line}" for line in _names(document, "warnings")]


def mistakes(document: Mapping[str, object]) -> list[str]:
    """Return the lines of what is wrong with the config."""
    return _texts(document.get("errors"))


def _names(document: Mapping[str, object], key: str) -> list[str]:
    return _texts(document.get(key))


def _texts(value: object) -> list[str]:
    return [printable(each) for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _words(value: object) -> str:
    return value if isinstance(value, str) else "it did not come up"
