"""Which dialect is this? Recognised by its shape alone, and told to the user by ``procwrap check``."""

from __future__ import annotations

from collections.abc import Sequence

from procwrap.config.dialects.translation import Native, Translation
from procwrap.config.node import Entry, Kind, Node
from procwrap.config.problem import Problem, WrongValueError
from procwrap.config.surroundings import Surroundings

NATIVE = "native"


def to_native(documents: Sequence[Node], problems: list[Problem], surroundings: Surroundings) -> Native:
    """Recognise the dialect and bring it into the native mapping form; every node keeps its mark.

    Args:
        documents: of the text, at least one.
        problems: gets what is wrong with a config of another dialect.
        surroundings: what a config of another dialect may refer to.

    Raises:
        WrongValueError: it is none at all.
    """
    root = documents[0]
    if any(_is_object(document) for document in documents[1:]) or (len(documents) == 1 and _is_object(root)):
        from procwrap.config.dialects import kubernetes

        return kubernetes.objects(documents, Translation(problems, surroundings))
    if len(documents) > 1:
        problems.append(
            Problem(documents[1].mark, "", "a second document begins here; a config is one document")
        )
    if root.kind is Kind.MAPPING and "processes" in root.entries:
        return Native(NATIVE, root)
    if "containers" in root.entries or _are_containers(root):
        from procwrap.config.dialects import kubernetes

        return kubernetes.bare(root, Translation(problems, surroundings))
    if "daemons" in root.entries:
        from procwrap.config.dialects import pidzero

        return pidzero.to_native(root, Translation(problems, surroundings))
    return Native(NATIVE, _native(root))


def _native(root: Node) -> Node:
    if root.kind is Kind.LIST:
        return Node(Kind.MAPPING, root.mark, entries={"processes": Entry(root.mark, root)})
    if root.kind is Kind.MAPPING and "entrypoint" in root.entries:
        raise WrongValueError("this is a single process: put it into a list, or under processes: as an item")
    if root.kind is not Kind.MAPPING:
        message = f"expected a list of processes, or a mapping with processes:, got {root.kind.value}"
        raise WrongValueError(message)
    return root


def _is_object(root: Node) -> bool:
    return "kind" in root.entries and "processes" not in root.entries


def _are_containers(root: Node) -> bool:
    if any("entrypoint" in item.entries for item in root.items):
        return False
    return any("image" in item.entries or "command" in item.entries for item in root.items)
