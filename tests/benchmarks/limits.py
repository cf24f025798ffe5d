"""What ``--check`` holds procwrap to: ratios where a peer sets the pace, bounds where a promise was made."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from tests.benchmarks.figures import Table, ratio


@frozen
class Limit:
    """One promise.

    Attributes:
        figure: Key of the figure.
        bound: The furthest that is still good.
        peer: The bound is a multiple of this program's median; None: it is in the figure's unit.
        label: Whose row.
    """

    figure: str
    bound: float
    peer: str | None = None
    label: str = "procwrap"


LIMITS = (
    Limit("log_throughput", 1.0, "s6-log T"),
    Limit("log_throughput", 0.8, "supervisord", "procwrap free"),
    Limit("first_child", 1.0, "circus"),
    Limit("memory_10", 50),
    Limit("memory_per_child", 60),
    Limit("restart", 10),
    Limit("many_children", 1.0, "circus"),
    Limit("stop", 200),
    Limit("readiness_p99_busy", 10),
    Limit("probes_cpu_tcp", 15),
    Limit("probes_cpu_http", 30),
    Limit("prommerge", 150),
    Limit("metrics", 15),
)


def missed(tables: Sequence[Table], limits: Sequence[Limit] = LIMITS) -> list[str]:
    """One line for each promise that was not kept, or could not be judged though its figure was measured."""
    by_key = {table.figure.key: table for table in tables}
    judged = (_judge(by_key[limit.figure], limit) for limit in limits if limit.figure in by_key)
    return [line for line in judged if line]


def _judge(table: Table, limit: Limit) -> str:
    figure = table.figure
    words = "at least" if figure.better == "more" else "at most"
    wanted = (
        f"{words} {limit.bound:g} x {limit.peer}" if limit.peer else f"{words} {limit.bound:g} {figure.unit}"
    )
    found = _found(table, limit)
    if found is None:
        return f"{figure.key}: {limit.label}: not measured, wanted {wanted}"
    kept = found >= limit.bound if figure.better == "more" else found <= limit.bound
    return "" if kept else f"{figure.key}: {limit.label}: {found:.2f}, wanted {wanted}"


def _found(table: Table, limit: Limit) -> float | None:
    row = table.row(limit.label)
    if row is None:
        return None
    if limit.peer is None:
        return row.median
    peer = table.row(limit.peer)
    return ratio(row, peer) if peer else None
