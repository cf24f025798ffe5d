"""What a manifest takes from elsewhere: fields of the Pod, resources, config maps and secrets."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Mapping

from attrs import frozen

from procwrap.config import readers
from procwrap.config.dialects.quantity import quantity
from procwrap.config.dialects.translation import Translation
from procwrap.config.fields import Fields, Place, attempt
from procwrap.config.node import Kind
from procwrap.config.problem import Problem, WrongValueError
from procwrap.core.printable import quoted

VARIABLES = {
    "metadata.name": ("POD_NAME", "HOSTNAME"),
    "metadata.namespace": ("POD_NAMESPACE",),
    "metadata.uid": ("POD_UID",),
    "spec.nodeName": ("NODE_NAME",),
    "spec.serviceAccountName": ("SERVICE_ACCOUNT_NAME", "SERVICE_ACCOUNT"),
    "status.hostIP": ("HOST_IP", "NODE_IP"),
    "status.hostIPs": ("HOST_IPS", "HOST_IP", "NODE_IP"),
    "status.podIP": ("POD_IP",),
    "status.podIPs": ("POD_IPS", "POD_IP"),
}
"""The field of a Pod -> the variables of procwrap's own environment that may say it, the first that does."""

_OF_METADATA = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]\Z")
_RESOURCE = re.compile(r"(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)\Z")


@frozen
class Configs:
    """Config maps or secrets that stand in the same text.

    Attributes:
        found: name to key to where the value is, and whether it is written in base64.
    """

    found: Mapping[str, Mapping[str, tuple[Place, bool]]]

    def __contains__(self, name: str) -> bool:
        return name in self.found

    def one(self, name: str, key: str) -> str | None:
        """Return one value of one that is in the text."""
        where = self.found[name].get(key)
        return None if where is None else _value(*where)

    def all(self, name: str) -> Mapping[str, str]:
        """Return all values of one that is in the text."""
        return {key: _value(*where) for key, where in self.found[name].items()}


def _value(place: Place, encoded: bool) -> str:
    text = attempt(place, readers.literal, "")
    if not encoded:
        return text
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        place.report("expected UTF-8 in base64: write it below stringData if it is plain text")
        return ""


@frozen
class Sources:
    """Where the values come from.

    Attributes:
        known: fields of the Pod that the manifest itself says.
        labels: those of the Pod, by name; annotations likewise.
    """

    translation: Translation
    config_maps: Configs
    secrets: Configs
    known: Mapping[str, str]
    labels: Mapping[str, Place]
    annotations: Mapping[str, Place]

    def field(self, place: Place) -> str | None:
        """Read a ``fieldRef``."""
        fields = Fields(place)
        fields.take("apiVersion", readers.literal, "")
        value = fields.require("fieldPath", self._field, None)
        fields.finish()
        return value

    def _field(self, place: Place) -> str:
        path = readers.text(place)
        if match := _OF_METADATA.match(path):
            given = (self.labels if match[1] == "labels" else self.annotations).get(match[2])
            return "" if given is None else readers.literal(given)
        variables = VARIABLES.get(path)
        if variables is None:
            near = place.nearest(path, VARIABLES)
            raise WrongValueError(
                "no such field: "
                + (f"did you mean {near}?" if near else f"expected one of {', '.join(VARIABLES)}")
            )
        environ = self.translation.surroundings.environ
        for name in variables:
            if environ.get(name):
                self._resolved(place, f"taken from the variable {name}")
                return environ[name]
        if path in self.known:
            return self.known[path]
        raise WrongValueError(
            f"unknown here: procwrap's own environment needs the variable {' or '.join(variables)}"
        )

    def resource(self, place: Place, container: Place) -> str | None:
        """Read a ``resourceFieldRef``; only the container's own limits and requests are known."""
        fields = Fields(place)
        fields.take("containerName", readers.text, "")
        divisor = fields.take("divisor", quantity, None) or 1
        match = fields.require("resource", _resource, None)
        fields.finish()
        if match is None:
            return None
        resources = container.value("resources")
        wanted = resources.value(match[1]).value(match[2]) if resources is not container else container
        if wanted.node.kind not in (Kind.TEXT, Kind.NUMBER):
            place.value("resource").report(f"unknown here: the container has no resources.{match[0]}")
            return None
        return str(math.ceil(attempt(wanted, quantity, 0) / divisor))

    def key(self, place: Place, configs: Configs) -> str | None:
        """Read a ``secretKeyRef`` or ``configMapKeyRef``; None leaves the variable out."""
        fields = Fields(place)
        name = fields.require("name", readers.text, "")
        key = fields.require("key", readers.literal, "")
        optional = fields.take("optional", readers.boolean, default=False)
        fields.finish()
        if not name or not key:
            return None
        if name in configs:
            found = configs.one(name, key)
        else:
            files = self.translation.surroundings.values
            found = None if files is None else files.one(name, key)
            if files is not None and found is not None:
                self._resolved(place, f"taken from a file below {files.directory}")
        if found is None and not optional:
            raise WrongValueError(self._missing(f"{name}/{key}", in_text=name in configs))
        return found

    def all(self, place: Place, configs: Configs) -> Mapping[str, str]:
        """Read the ``configMapRef`` or ``secretRef`` of an ``envFrom``."""
        fields = Fields(place)
        name = fields.require("name", readers.text, "")
        optional = fields.take("optional", readers.boolean, default=False)
        fields.finish()
        values: Mapping[str, str] | None = configs.all(name) if name in configs else None
        if values is None and name:
            files = self.translation.surroundings.values
            values = None if files is None else files.all(name)
            if files is not None and values:
                self._resolved(place, f"taken from files below {files.directory}")
        if values is None and name and not optional:
            raise WrongValueError(self._missing(name, in_text=False))
        return values or {}

    def _missing(self, what: str, *, in_text: bool) -> str:
        if in_text:
            return f"{quoted(what)} does not exist: the one of this name in this text has no such key"
        files = self.translation.surroundings.values
        if files is None:
            return f"{quoted(what)} is not in this text: give --secrets-dir DIR, which has it as DIR/NAME/KEY"
        return f"{quoted(what)} exists neither in this text nor below --secrets-dir {quoted(files.directory)}"

    def _resolved(self, place: Place, how: str) -> None:
        self.translation.resolved.append(Problem(place.node.mark, place.path, how))


def _resource(place: Place) -> re.Match[str]:
    match = _RESOURCE.match(readers.text(place))
    if match is None:
        raise WrongValueError(
            f"expected a limit or request such as limits.memory, got {readers.shown(place.node)}"
        )
    return match
