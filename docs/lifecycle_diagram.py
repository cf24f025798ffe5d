"""Draws the lifecycle from its table: ``python docs/lifecycle_diagram.py`` writes the picture of the docs.

Needs Graphviz' ``dot``. A test compares the drawing's source with the table, so the picture cannot rot.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from procwrap.core.lifecycle import ALIVE, FINAL, TABLE, Input, Move, State  # noqa: E402

SOURCE = ROOT / "docs" / "_static" / "lifecycle.dot"

HEAD = """\
digraph lifecycle {
  rankdir=LR; compound=true; bgcolor="transparent"; pad=0.3; nodesep=0.5; ranksep=0.8;
  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=12, color="#64748b"];
  edge [fontname="Helvetica", fontsize=10, color="#64748b", fontcolor="#475569"];
"""


def dot() -> str:
    """Return the drawing in Graphviz' language; what all living states share starts at their frame."""
    lines = [HEAD.rstrip(), "  subgraph cluster_alive {", '    style="rounded,dashed"; color="#94a3b8";']
    lines += [f"    {_node(state)}" for state in State if state in ALIVE]
    lines += ["  }", *(f"  {_node(state)}" for state in State if state not in ALIVE)]
    shared = _shared()
    lines += _edges(State.STOPPING, shared, ", ltail=cluster_alive")
    for state, moves in TABLE.items():
        lines += _edges(
            state, {happened: m for happened, m in moves.items() if not _is(shared, happened, m, state)}
        )
    return "\n".join([*lines, "}", ""])


def _shared() -> dict[Input, Move]:
    first, *others = [TABLE[state] for state in State if state in ALIVE]
    return {happened: m for happened, m in first.items() if all(o.get(happened) == m for o in others)}


def _is(shared: dict[Input, Move], happened: Input, move: Move, state: State) -> bool:
    return state in ALIVE and shared.get(happened) == move


def _edges(state: State, moves: Mapping[Input, Move], extra: str = "") -> list[str]:
    targets: dict[State, list[str]] = {}
    for happened, answer in moves.items():
        targets.setdefault(answer.state, []).append(happened.value)
    return [
        f'  {state.value} -> {target.value} [label="{_wrapped(inputs)}"{extra}];'
        for target, inputs in targets.items()
    ]


def _node(state: State) -> str:
    return f'{state.value} [fillcolor="{_color(state)}"];'


def _color(state: State) -> str:
    if state is State.RUNNING:
        return "#bbf7d0"
    if state in ALIVE:
        return "#fef08a"
    return "#e2e8f0" if state in FINAL else "#bfdbfe"


def _wrapped(inputs: list[str]) -> str:
    return "\\n".join(inputs)


if __name__ == "__main__":
    SOURCE.write_text(dot(), encoding="utf-8")
    subprocess.run(["dot", "-Tsvg", str(SOURCE), "-o", str(SOURCE.with_suffix(".svg"))], check=True)
