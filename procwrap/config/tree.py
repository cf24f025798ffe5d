"""Grows the tree from what a YAML or JSON reader meets, and keeps it within bounds."""

from __future__ import annotations

from attrs import define, evolve, field

from procwrap.config import paths
from procwrap.config.node import Entry, Kind, Mark, Node
from procwrap.config.problem import ConfigError, Problem

MAX_NODES = 100_000
MAX_DEPTH = 100


@define(eq=False)
class _Open:
    """A mapping or list whose end has not come yet.

    Attributes:
        before: how many nodes the tree had when it was opened.
        height: levels below it so far.
        key: the mapping's key that waits for its value, and whether it is a merge key.
        merged: what the merge key brought in, first one first, and where that key stands.
    """

    node: Node
    anchor: str | None
    before: int
    height: int = 0
    items: list[Node] = field(factory=list)
    entries: dict[str, Entry] = field(factory=dict)
    key: tuple[str, Mark, bool] | None = None
    merged: list[Node] = field(factory=list)
    merge_mark: Mark | None = None


@define(eq=False)
class Tree:
    """A tree under construction; the calls come in the order of the text.

    Aliases share the node they stand for, but are counted as if they were written out, so that a text
    of a few lines cannot grow beyond bounds.
    """

    source: str
    problems: list[Problem] = field(factory=list)
    documents: list[Node] = field(factory=list)
    may_be_several: bool = field(default=False, kw_only=True)
    _open: list[_Open] = field(factory=list)
    _count: int = 0
    _anchors: dict[str, tuple[Node, int, int] | None] = field(factory=dict)

    def begin_document(self, mark: Mark) -> None:
        """Begin with a document; anchors of the one before hold no longer.

        Raises:
            ConfigError: there may be only one.
        """
        if self.documents and not self.may_be_several:
            raise self.refusal(mark, "a second document begins here; a config is one document")
        self._anchors = {}

    def start(self, kind: Kind, mark: Mark, anchor: str | None = None) -> None:
        """Open a mapping or a list."""
        self._grow(1, 1, mark)
        self._refuse_as_key(mark)
        if anchor is not None:
            self._anchors[anchor] = None
        self._open.append(_Open(Node(kind, mark), anchor, self._count - 1))

    def end(self) -> None:
        """Close what was opened last."""
        done = self._open.pop()
        entries: dict[str, Entry] = {}
        for other in reversed(done.merged):
            entries.update(other.entries)
        node = evolve(done.node, items=tuple(done.items), entries={**entries, **done.entries})
        self._place(node, done.anchor, self._count - done.before, done.height + 1)

    def scalar(self, node: Node, anchor: str | None = None, *, merge: bool = False) -> None:
        """Add a scalar: a value, or a mapping's next key.

        Args:
            node: the scalar.
            anchor: name that later aliases use for it.
            merge: whether it would be a merge key, if it stands where keys stand.
        """
        self._grow(1, 1, node.mark)
        parent = self._open[-1] if self._open else None
        if parent is not None and parent.node.kind is Kind.MAPPING and parent.key is None:
            parent.key = (node.text, node.mark, merge)
            if anchor is not None:
                self._anchors[anchor] = (node, 1, 1)
        else:
            self._place(node, anchor, 1, 1)

    def alias(self, name: str, mark: Mark) -> None:
        """Add what was anchored under this name before."""
        if name not in self._anchors:
            message = (
                "no anchor of this name comes before this alias; quote the text if it is to begin with *"
            )
            raise self.refusal(mark, message)
        known = self._anchors[name]
        if known is None:
            raise self.refusal(mark, "this alias stands inside what it stands for")
        node, size, height = known
        if not node.items and not node.entries and node.kind not in (Kind.MAPPING, Kind.LIST):
            self.scalar(node)
            return
        self._grow(size, height, mark)
        self._refuse_as_key(mark)
        self._place(node, None, 0, height)

    def report(self, mark: Mark, message: str) -> None:
        """Note a problem that does not keep the rest from being read."""
        self.problems.append(Problem(mark, self._path(), message))

    def refusal(self, mark: Mark | None, message: str) -> ConfigError:
        """The error for a text that cannot be read any further."""
        return ConfigError(self.source, [*self.problems, Problem(mark, "", message)])

    def finish(self) -> Node:
        """Return the whole tree: the first document, if there may be several.

        Raises:
            ConfigError: there is nothing in the text.
        """
        self.documents = [node for node in self.documents if node.kind is not Kind.NULL]
        if not self.documents:
            raise self.refusal(None, "the config is empty; it needs at least one process")
        return self.documents[0]

    def _place(self, node: Node, anchor: str | None, size: int, height: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = (node, size, height)
        if not self._open:
            self.documents.append(node)
            return
        parent = self._open[-1]
        parent.height = max(parent.height, height)
        if parent.key is None:
            parent.items.append(node)
        elif parent.key[2]:
            self._merge(parent, parent.key[1], node)
        else:
            self._enter(parent, parent.key[0], parent.key[1], node)
        parent.key = None

    def _enter(self, parent: _Open, key: str, mark: Mark, node: Node) -> None:
        first = parent.entries.get(key)
        if first is None:
            parent.entries[key] = Entry(mark, node)
        else:
            self.report(mark, f"given twice, first in line {first.key_mark.line}: keep one of them")

    def _merge(self, parent: _Open, mark: Mark, node: Node) -> None:
        if parent.merge_mark is not None:
            self.report(mark, f"given twice, first in line {parent.merge_mark.line}: write <<: [*one, *two]")
        parent.merge_mark = mark
        several = node.items if node.kind is Kind.LIST else (node,)
        for other in several:
            if other.kind is Kind.MAPPING:
                parent.merged.append(other)
            else:
                self.report(
                    other.mark, f"a merge key wants a mapping or a list of them, got {other.kind.value}"
                )

    def _grow(self, size: int, height: int, mark: Mark) -> None:
        self._count += size
        if self._count > MAX_NODES:
            raise self.refusal(
                mark, f"more than {MAX_NODES:,} values, aliases counted as written out: too many"
            )
        if len(self._open) + height > MAX_DEPTH:
            raise self.refusal(mark, f"nested deeper than {MAX_DEPTH} levels")

    def _refuse_as_key(self, mark: Mark) -> None:
        parent = self._open[-1] if self._open else None
        if parent is not None and parent.node.kind is Kind.MAPPING and parent.key is None:
            raise self.refusal(mark, "a list or mapping cannot be a key: expected text")

    def _path(self) -> str:
        path = ""
        for level in self._open:
            if level.node.kind is Kind.MAPPING and level.key is not None:
                path = paths.under(path, level.key[0])
            elif level.node.kind is Kind.LIST:
                # A plain list is the value of ``processes``; see dialects/guess.py.
                path = paths.item(path or "processes", len(level.items))
        return path
