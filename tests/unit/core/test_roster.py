from __future__ import annotations

from attrs import evolve

from procwrap.core.roster import Derived, Roster
from procwrap.spec.process import ProcessSpec

A, B, C = (ProcessSpec(name, "/bin/true") for name in "abc")


def test_it_changes_and_keeps_its_order() -> None:
    """What is replaced stays in its place, what is new comes last, until it is arranged."""
    roster = Roster([A, B])
    roster.put(evolve(A, args=("x",)))
    roster.put(C)
    roster.drop("b")
    roster.drop("b")
    assert [(spec.name, spec.args) for spec in roster.specs] == [("a", ("x",)), ("c", ())]
    roster.arrange(["c", "nobody"])
    assert (list(roster), len(roster), roster.get("b")) == (["c", "a"], 2, None)


def test_what_follows_is_found_out_once() -> None:
    """Until the spec is another; what follows from nothing is not there."""
    asked: list[str] = []

    def first(spec: ProcessSpec) -> str | None:
        asked.append(spec.name)
        return spec.args[0] if spec.args else None

    roster = Roster([evolve(A, args=("x",)), B])
    derived = Derived(roster, first)
    assert (dict(derived), len(derived), derived.get("b")) == ({"a": "x"}, 1, None)
    assert asked == ["a", "b"]
    roster.put(evolve(B, args=("y",)))
    roster.drop("a")
    assert ("a" in derived, dict(derived)) == (False, {"b": "y"})
    assert derived._known.keys() == {"b"}
