"""``env`` and ``envFrom`` of a container."""

from __future__ import annotations

from attrs import frozen

from procwrap.config import names, readers
from procwrap.config.dialects import nodes
from procwrap.config.dialects.expansion import expand, service_variables
from procwrap.config.dialects.references import Sources
from procwrap.config.fields import Fields, Place
from procwrap.config.node import Node
from procwrap.config.problem import WrongValueError

OVERHEAD = 64
"""Bytes that a variable costs besides its name and value."""


@frozen
class Environment:
    """The variables of a container.

    Attributes:
        values: by name, in order; what ``$(NAME)`` stands for is among them.
        node: those that the container itself has, for the native config; None for none.
    """

    values: dict[str, str]
    node: Node | None


def environment(fields: Fields, container: Place, sources: Sources) -> Environment:
    """Read both; a variable of ``env`` goes before one of ``envFrom``, and the last of a name counts."""
    reader = _Reader(container, sources)
    reader.known.update(service_variables(sources.translation.surroundings.environ))
    fields.take("envFrom", readers.list_of(reader.source), ())
    fields.take("env", readers.list_of(reader.variable), ())
    return Environment(
        reader.known, nodes.mapping(container.value("env"), reader.found) if reader.found else None
    )


class _Reader:
    """Collects the variables of one container in their order."""

    def __init__(self, container: Place, sources: Sources) -> None:
        self.found: dict[str, Node] = {}
        self.known: dict[str, str] = {}
        """What may be referred to: these, and the variables about services."""
        self._container = container
        self._sources = sources

    def source(self, place: Place) -> None:
        """Take one item of ``envFrom``; what cannot be a variable is left out, as by Kubernetes."""
        fields = Fields(place)
        prefix = fields.take("prefix", readers.literal, "")
        values = [
            fields.take("configMapRef", lambda ref: self._sources.all(ref, self._sources.config_maps), None),
            fields.take("secretRef", lambda ref: self._sources.all(ref, self._sources.secrets), None),
        ]
        fields.finish()
        if sum(key in place.node.entries for key in ("configMapRef", "secretRef")) != 1:
            raise WrongValueError("expected either configMapRef or secretRef")
        for key, value in {**(values[0] or {}), **(values[1] or {})}.items():
            try:
                names.check_env(prefix + key)
            except WrongValueError:
                continue
            self._set(prefix + key, nodes.text(place, value))

    def variable(self, place: Place) -> None:
        """Take one item of ``env``."""
        fields = Fields(place)
        name = fields.require("name", names.env_name, "")
        value = fields.take("value", readers.literal, None)
        given = fields.take("valueFrom", self._from, None)
        fields.finish()
        if "valueFrom" in place.node.entries:
            if value:
                place.value("value").report("expected either value or valueFrom, not both")
            if name and given is not None:
                self._set(name, nodes.text(place.value("valueFrom"), given))
        elif name:
            self._set(name, nodes.text(place.value("value"), expand(value or "", self.known)))

    def _set(self, name: str, node: Node) -> None:
        self._sources.translation.spend(OVERHEAD + len(name) + len(node.text))
        self.found.pop(name, None)
        self.found[name] = node
        self.known[name] = node.text

    def _from(self, place: Place) -> str | None:
        fields = Fields(place)
        sources = self._sources
        found = [
            fields.take("fieldRef", sources.field, None),
            fields.take("resourceFieldRef", lambda ref: sources.resource(ref, self._container), None),
            fields.take("secretKeyRef", lambda ref: sources.key(ref, sources.secrets), None),
            fields.take("configMapKeyRef", lambda ref: sources.key(ref, sources.config_maps), None),
        ]
        fields.finish()
        if len(place.node.entries) != 1:
            raise WrongValueError(
                "expected one of fieldRef, resourceFieldRef, secretKeyRef and configMapKeyRef"
            )
        return next((value for value in found if value is not None), None)
