"""procwrap's own config, which is also the form that ``--peer`` programs with ``{config}`` get."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.programs.program import Child, Place

# A child that has run for longer than `reset` is restarted without a delay: what the restart figure measures.
RESET_SECONDS = 1


def native_yaml(children: Sequence[Child], settings: Mapping[str, Any]) -> str:
    """The plain list of processes, in block style as people write it.

    A JSON string is a YAML scalar, so json.dumps does the quoting.
    """
    lines = []
    for child in children:
        entrypoint, *arguments = child.argv
        lines.append(f"- name: {json.dumps(child.name)}")
        lines.append(f"  entrypoint: {json.dumps(entrypoint)}")
        lines.append(f"  args: {json.dumps(arguments)}")
        lines.append("  restartPolicy: always")
        lines.append(f"  restartBackoff: {{initial: 1s, max: 60s, reset: {RESET_SECONDS}s}}")
        lines += [f"  {key}: {json.dumps(value)}" for key, value in settings.items()]
    return "\n".join(lines) + "\n"


def write_native(place: Place, children: Sequence[Child], settings: Mapping[str, Any]) -> Path:
    """Write it into a file of the place; returns the file."""
    config = place.directory / "processes.yaml"
    config.write_text(native_yaml(children, settings))
    return config


def native_environ(place: Place) -> dict[str, str]:
    """The environment that gives such a program its HTTP socket."""
    return {"HEALTH_SOCKET": place.health_socket}
