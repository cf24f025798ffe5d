"""One container becomes one process."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from attrs import evolve, frozen

from procwrap.config import paths, readers, units
from procwrap.config.dialects import kubernetesprobes as probes
from procwrap.config.dialects import kubernetessecurity as security
from procwrap.config.dialects import nodes
from procwrap.config.dialects.containerenv import environment
from procwrap.config.dialects.expansion import expand
from procwrap.config.dialects.quantity import quantity
from procwrap.config.dialects.references import Sources
from procwrap.config.dialects.translation import Translation
from procwrap.config.fields import Fields, Place, Reader, attempt
from procwrap.config.node import Kind, Node
from procwrap.config.problem import Problem, WrongValueError
from procwrap.config.processes import LARGEST_LIMIT

MIB = 1024 * 1024

POLICIES = {"Always": "always", "OnFailure": "onFailure", "Never": "never"}

_IGNORED = {
    "image": "",
    "imagePullPolicy": "it has no image of its own",
    "volumeMounts": "all processes see the files of the container that procwrap runs in",
    "volumeDevices": "all processes see the devices of the container that procwrap runs in",
    "resizePolicy": "the resources are those of the container that procwrap runs in",
    "terminationMessagePath": "the kubelet reads that of the container that procwrap runs in",
    "terminationMessagePolicy": "the kubelet reads that of the container that procwrap runs in",
}
_IMPOSSIBLE = {
    "tty": "the output of a process is read through pipes, not a terminal",
    "stdin": "nobody can write to a process's standard input",
    "stdinOnce": "nobody can write to a process's standard input",
    "restartPolicyRules": "which exit codes lead to a restart is not looked at",
}
_OTHER_LIMIT = "the limits of the container that procwrap runs in hold"
_RESOURCES = {
    "requests": "the scheduler knows the container that procwrap runs in",
    "claims": "they belong to the container that procwrap runs in",
}


@frozen
class Around:
    """What holds for all containers of a Pod.

    Attributes:
        sources: where values come from.
        security: whom they run as.
        grace: seconds from the stop signal to SIGKILL.
    """

    sources: Sources
    security: security.Security
    grace: int


@frozen
class Container:
    """A container that was read.

    Attributes:
        place: where it stands.
        values: its process in the native dialect, but for what depends on other containers and on the Pod.
        name: of it, with its place; None when it has none that can be read.
        policy: its own restart policy in native words, if it has one.
        ports: the numbers of its ports.
    """

    place: Place
    values: dict[str, Node | None]
    name: Place | None
    policy: str | None
    ports: tuple[int, ...]


def container(place: Place, around: Around) -> Container:
    """Read a container.

    Raises:
        WrongValueError: it is no mapping.
    """
    fields = Fields(place)
    name: Place | None = fields.require("name", _itself, None)
    ports = fields.take("ports", readers.list_of(_port), ())
    env = environment(fields, place, around.sources)
    expanded = _expander(env.values, around.sources.translation)
    command, args = _command(fields, place, expanded)
    surface = probes.Surface(dict(port for port in ports if port[0]), around.grace, expanded)
    values = {
        "name": None if name is None else evolve(name.node, origin=name.path),
        "entrypoint": command,
        "args": args,
        "dir": fields.take("workingDir", _text, None),
        "envs": env.node,
        "sysProcAttr": _security(fields, place, around),
        "memoryLimitMB": fields.take("resources", lambda found: _resources(found, around), None),
        "startup": fields.take("startupProbe", probes.check("startupProbe", surface), None),
        "readiness": fields.take("readinessProbe", probes.check("readinessProbe", surface), None),
        "liveness": fields.take("livenessProbe", probes.check("livenessProbe", surface), None),
        **fields.take("lifecycle", lambda found: _lifecycle(found, surface), {}),
    }
    policy = fields.take("restartPolicy", policy_of, None)
    for key, reason in _IMPOSSIBLE.items():
        fields.take(key, _impossible(reason), None)
    around.sources.translation.ignore(fields, place, _IGNORED)
    fields.finish()
    return Container(place, values, name, policy, tuple(number for _, number in ports))


def policy_of(place: Place) -> str:
    """Read a restart policy; return the native word."""
    policy = POLICIES.get(place.node.text)
    if policy is None:
        raise WrongValueError(f"expected one of {', '.join(POLICIES)}, got {readers.shown(place.node)}")
    return policy


def _itself(place: Place) -> Place:
    return place


def _text(place: Place) -> Node:
    return nodes.text(place, readers.text(place))


def _impossible(reason: str) -> Reader[None]:
    def read(place: Place) -> None:
        if place.node.kind is not Kind.BOOLEAN or units.switch(place.node.text):
            raise WrongValueError(f"cannot be done: {reason}")

    return read


def _port(place: Place) -> tuple[str, int]:
    fields = Fields(place)
    number = fields.require("containerPort", readers.whole_number(1, 65535), 1)
    name = fields.take("name", readers.text, "")
    for key in ("protocol", "hostPort", "hostIP"):
        fields.take(key, _itself, None)
    fields.finish()
    return name, number


def _expander(values: Mapping[str, str], translation: Translation) -> Callable[[str], str]:
    def expanded(text: str) -> str:
        found = expand(text, values)
        translation.spend(max(0, len(found) - len(text)))
        return found

    return expanded


def _command(fields: Fields, place: Place, expanded: Callable[[str], str]) -> tuple[Node, Node | None]:
    """``command`` and ``args``; the image's own entrypoint is not known here."""
    command = fields.take("command", readers.list_of(_word), ())
    args = fields.take("args", readers.list_of(_word), ())
    if not command:
        path = paths.under(place.path, "command")
        message = "is missing: the ENTRYPOINT of the image is not known here, so write it down"
        place.problems.append(Problem(place.node.mark, path, message))
        return nodes.text(place, "none"), None
    texts = [
        nodes.text(word, attempt(word, lambda found: expanded(found.node.text), ""))
        for word in (*command, *args)
    ]
    where = place.value("args") if args else place.value("command")
    return texts[0], nodes.listing(where, texts[1:]) if texts[1:] else None


def _word(place: Place) -> Place:
    readers.literal(place)
    return place


def _security(fields: Fields, place: Place, around: Around) -> Node | None:
    translation = around.sources.translation
    given: Place | None = fields.take("securityContext", _itself, None)
    if given is None:
        return security.inherited(place, around.security, translation)
    return attempt(given, lambda found: security.of_container(found, around.security, translation), None)


def _resources(place: Place, around: Around) -> Node | None:
    fields = Fields(place)
    limit = fields.take("limits", lambda found: _limits(found, around), None)
    around.sources.translation.ignore(fields, place, _RESOURCES)
    fields.finish()
    return limit


def _limits(place: Place, around: Around) -> Node | None:
    fields = Fields(place)
    limit = fields.take("memory", _mebibytes, None)
    others = (key for key in fields.left)
    around.sources.translation.ignore(fields, place, dict.fromkeys(others, _OTHER_LIMIT))
    fields.finish()
    return limit


def _mebibytes(place: Place) -> Node:
    found = math.ceil(quantity(place) / MIB)
    if not 1 <= found <= LARGEST_LIMIT:
        raise WrongValueError(f"expected 1Mi to 64Ti, got {readers.shown(place.node)}")
    return nodes.number(place, found)


def _lifecycle(place: Place, surface: probes.Surface) -> dict[str, Node | None]:
    fields = Fields(place)
    found = {
        "postStart": fields.take("postStart", probes.hook(surface, after_start=True), None),
        "preStop": fields.take("preStop", probes.hook(surface, after_start=False), None),
        "stopSignal": fields.take("stopSignal", _text, None),
    }
    fields.finish()
    return found
