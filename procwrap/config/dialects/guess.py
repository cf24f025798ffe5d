"""Which dialect is this? Recognised by its shape alone, and told to the user by ``procwrap check``."""

from __future__ import annotations

from procwrap import __version__
from procwrap.config.node import Entry, Kind, Node
from procwrap.config.problem import WrongValueError, printable

NATIVE = "native"
_ONLY = (
    f"procwrap {__version__} reads its native format only: a list of processes, or a mapping with processes:"
)


def to_native(root: Node) -> tuple[str, Node]:
    """Recognise the dialect and bring it into the native mapping form; every node keeps its mark.

    Returns:
        The name of the dialect, and the mapping.

    Raises:
        WrongValueError: it is a dialect that cannot be read, or none at all.
    """
    if root.kind is Kind.MAPPING and "processes" in root.entries:
        return NATIVE, root
    foreign = _foreign(root)
    if foreign is not None:
        raise WrongValueError(f"this looks like {foreign}; {_ONLY}")
    if root.kind is Kind.LIST:
        return NATIVE, Node(Kind.MAPPING, root.mark, entries={"processes": Entry(root.mark, root)})
    if root.kind is Kind.MAPPING and "entrypoint" in root.entries:
        raise WrongValueError("this is a single process: put it into a list, or under processes: as an item")
    if root.kind is not Kind.MAPPING:
        message = f"expected a list of processes, or a mapping with processes:, got {root.kind.value}"
        raise WrongValueError(message)
    return NATIVE, root


def _foreign(root: Node) -> str | None:
    keys = root.entries
    if "kind" in keys:
        return f"a Kubernetes manifest (kind: {printable(keys['kind'].node.text[:40])})"
    if "containers" in keys:
        return "a Kubernetes pod spec (containers:)"
    if "daemons" in keys:
        return "a config of pidzero (daemons:)"
    if any("entrypoint" in item.entries for item in root.items):
        return None
    for item in root.items:
        for key in ("image", "command"):
            if key in item.entries:
                return f"a list of Kubernetes containers ({key}:)"
    return None
