"""The processes as the host tells of them, and what is said about a name that is none of theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from procwrap.client.host import Host
from procwrap.core.printable import quoted
from procwrap.errors import NoHostError, OrderRefusedError

View = Mapping[str, object]

MOST_NAMED = 10


def fetch(host: Host) -> tuple[View, list[View]]:
    """Ask for everything.

    Returns:
        What is true of procwrap itself, and its processes in the order of the config.
    """
    document = host.ask("/api/processes").document
    return members(document, host.name)


def members(document: Mapping[str, object], name: str) -> tuple[View, list[View]]:
    """Take the host and the processes out of an answer.

    Raises:
        NoHostError: it holds none.
    """
    processes, around = document.get("processes"), document.get("host")
    if not isinstance(processes, list) or not all(_is_process(each) for each in processes):
        raise NoHostError(f"cannot talk to what is at {name}: its answer holds no processes")
    return around if isinstance(around, dict) else {}, processes


def chosen(processes: Sequence[View], names: Iterable[str]) -> list[View]:
    """Return those of these names in this order, each once; all of them without a name.

    Raises:
        OrderRefusedError: there are names of none.
    """
    by_name = {str(each["name"]): each for each in processes}
    wanted = list(dict.fromkeys(names))
    unknown = [name for name in wanted if name not in by_name]
    if unknown:
        raise OrderRefusedError("\n".join(nobody(name, by_name) for name in unknown))
    return [by_name[name] for name in wanted] if wanted else list(processes)


def nobody(name: str, known: Iterable[str]) -> str:
    """Say that no process has this name, and which one was probably meant."""
    from procwrap.config.fields import nearest

    names = sorted(known)
    near = nearest(name, names)
    if near:
        return f"no process is called {quoted(name)}: did you mean {near}?"
    more = ", …" if len(names) > MOST_NAMED else ""
    return f"no process is called {quoted(name)}: there are {', '.join(names[:MOST_NAMED]) or 'none'}{more}"


def path(name: str, order: str = "") -> str | None:
    """Return the path of a process, or None when nothing can have that name."""
    allowed = name.isascii() and all(char.isalnum() or char in "._-" for char in name)
    if not allowed or not name or name[0] in ".-":
        return None
    return f"/api/processes/{name}" + (f"/{order}" if order else "")


def text(view: View, key: str) -> str:
    """Return a text of a view, or an empty one."""
    value = view.get(key)
    return value if isinstance(value, str) else ""


def part(view: View, key: str) -> View:
    """Return an object within a view, or an empty one."""
    value = view.get(key)
    return value if isinstance(value, dict) else {}


def _is_process(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("name"), str)
