"""The spec of a Pod becomes a native config: init containers first, then the others; sidecars serve them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from attrs import frozen

from procwrap.config import readers
from procwrap.config.dialects import kubernetessecurity as security
from procwrap.config.dialects import nodes
from procwrap.config.dialects.kubernetescontainer import Around, Container, container, policy_of
from procwrap.config.dialects.references import Sources
from procwrap.config.fields import Fields, Place, Reader
from procwrap.config.node import Node
from procwrap.config.problem import WrongValueError

DEFAULT_GRACE = 30
MOST_INITS = 100
"""Each container waits for each of them."""
BACKOFF = {"initial": "10s", "max": "5m", "reset": "10m"}
"""That of the kubelet."""
LIMIT_PERIOD = "8760h"
"""A Job counts the restarts of its whole life; a year is longer than any."""

_OF_THE_POD = "a property of the Pod that procwrap runs in: set it there"
_OF_THE_SCHEDULER = "where the Pod runs was decided already"
_IGNORED = dict.fromkeys(
    (
        *("affinity", "nodeName", "nodeSelector", "overhead", "preemptionPolicy", "priority"),
        *("priorityClassName", "readinessGates", "resourceClaims", "runtimeClassName", "schedulerName"),
        *("schedulingGates", "tolerations", "topologySpreadConstraints"),
    ),
    _OF_THE_SCHEDULER,
) | dict.fromkeys(
    (
        *(
            "automountServiceAccountToken",
            "dnsConfig",
            "dnsPolicy",
            "enableServiceLinks",
            "ephemeralContainers",
        ),
        *("hostAliases", "hostIPC", "hostNetwork", "hostPID", "hostUsers", "hostname", "hostnameOverride"),
        *("os", "resources", "serviceAccount", "serviceAccountName", "setHostnameAsFQDN"),
        *("shareProcessNamespace", "subdomain", "volumes", "imagePullSecrets"),
    ),
    _OF_THE_POD,
)


@frozen
class Template:
    """A Pod to be translated.

    Attributes:
        spec: where its spec stands.
        sources: where values come from.
        is_job: it ends, so that it cannot be restarted always.
        limit: restarts of a container after which all has failed; None for any number.
    """

    spec: Place
    sources: Sources
    is_job: bool = False
    limit: int | None = None


def config(template: Template) -> Node:
    """Return the native config for a Pod."""
    place, translation = template.spec, template.sources.translation
    fields = Fields(place)
    policy = fields.take("restartPolicy", _policy(template), "" if template.is_job else "always")
    if "restartPolicy" not in place.node.entries and template.is_job:
        fields.require("restartPolicy", policy_of, "")
    grace = fields.take("terminationGracePeriodSeconds", readers.whole_number(0, 2**31 - 1), DEFAULT_GRACE)
    people = fields.take(
        "securityContext", lambda found: security.of_pod(found, translation), security.Security()
    )
    around = Around(template.sources, people, grace)
    inits = fields.take("initContainers", readers.list_of(lambda found: container(found, around)), ())
    mains = fields.require("containers", readers.list_of(lambda found: container(found, around)), ())
    fields.take("activeDeadlineSeconds", _no_deadline, None)
    translation.ignore(fields, place, _IGNORED)
    fields.finish()
    if "containers" in place.node.entries and not place.value("containers").node.items:
        place.value("containers").report("expected at least one container, got an empty list")
    _prom_target(template.sources, mains)
    processes = _Processes(policy or "never", template.limit)
    found = [processes.init(each) for each in inits[: MOST_INITS + 1]] + [
        processes.main(each) for each in mains
    ]
    deadline = nodes.text(place.value("terminationGracePeriodSeconds"), f"{grace}s")
    shutdown = nodes.mapping(place, {"deadline": deadline})
    if not found or len(inits) > MOST_INITS:
        if found:
            place.value("initContainers").report(f"more than {MOST_INITS} init containers: too many")
        return nodes.stand_in(place)
    listed = nodes.listing(place.value("containers"), found)
    return nodes.mapping(place, {"processes": listed, "shutdown": shutdown})


class _Processes:
    """Gives each container its place in the order of the Pod."""

    def __init__(self, policy: str, limit: int | None) -> None:
        self._policy = policy
        self._limit = limit
        self._before: list[tuple[Place, str]] = []
        """What has come before, and what it has to have reached."""

    def init(self, read: Container) -> Node:
        """Return an init container's process; ``restartPolicy: Always`` makes it a sidecar."""
        is_sidecar = read.policy == "always"
        if not is_sidecar:
            _only_sidecars(read)
        policy = "always" if is_sidecar else "onFailure" if self._policy == "always" else self._policy
        made = self._process(read, policy, background=is_sidecar)
        if read.name is not None:
            reached = "completed" if not is_sidecar else "ready" if read.values["startup"] else "started"
            self._before.append((read.name, reached))
        return made

    def main(self, read: Container) -> Node:
        """Return a container's process."""
        return self._process(read, read.policy or self._policy)

    def _process(self, read: Container, policy: str, *, background: bool = False) -> Node:
        place = read.place
        values: dict[str, Node | None] = {**read.values}
        values["restartPolicy"] = nodes.text(place, policy)
        if policy != "never":
            backoff = {key: nodes.text(place, value) for key, value in BACKOFF.items()}
            values["restartBackoff"] = nodes.mapping(place, backoff)
        if policy == "onFailure" and self._limit is not None:
            values["maxRestarts"] = _limit(place, self._limit)
        if background:
            values["background"] = nodes.boolean(place, value=True)
        if self._before:
            values["dependsOn"] = nodes.listing(place, [_need(*before) for before in self._before])
        return nodes.mapping(place, values)


def _need(name: Place, condition: str) -> Node:
    values = {"name": nodes.text(name, name.node.text), "condition": nodes.text(name, condition)}
    return nodes.mapping(name, values)


def _limit(place: Place, count: int) -> Node:
    values = {
        "count": nodes.number(place, count),
        "period": nodes.text(place, LIMIT_PERIOD),
        "then": nodes.text(place, "exit"),
    }
    return nodes.mapping(place, values)


def _only_sidecars(read: Container) -> None:
    for key in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
        if key in read.place.node.entries:
            read.place.value(key).report("expected none in an init container without restartPolicy: Always")


def _policy(template: Template) -> Reader[str]:
    def read(place: Place) -> str:
        policy = policy_of(place)
        if policy == "always" and template.is_job:
            raise WrongValueError("expected OnFailure or Never, as a Job has it")
        return policy

    return read


def _no_deadline(place: Place) -> None:
    raise WrongValueError("cannot be done: set it on the Pod that procwrap runs in")


def _prom_target(sources: Sources, containers: Sequence[Container]) -> None:
    """``prometheus.io/…`` annotations, for the container that has the port, or the first."""
    annotations: Mapping[str, Place] = sources.annotations
    port = annotations.get("prometheus.io/port")
    scrape = annotations.get("prometheus.io/scrape")
    if port is None or not containers or (scrape is not None and scrape.node.text == "false"):
        return
    text = port.node.text
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 65535):
        port.report(f"expected the number of a port, got {readers.shown(port.node)}")
        return
    scheme = _said(annotations, "scheme", "http")
    path = quote(_said(annotations, "path", "/metrics"), safe="/%?#[]@!$&'()*+,;=:~")
    owner = next((each for each in containers if int(text) in each.ports), containers[0])
    url = f"{scheme}://localhost:{text}/{path.removeprefix('/')}"
    owner.values["promTarget"] = nodes.text(port, url)


def _said(annotations: Mapping[str, Place], key: str, default: str) -> str:
    place = annotations.get(f"prometheus.io/{key}")
    return default if place is None or not place.node.text else place.node.text
