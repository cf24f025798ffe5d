"""Kubernetes' manifests: which object has the containers, and what stands beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import evolve, frozen

from procwrap.config import paths, readers
from procwrap.config.dialects import nodes
from procwrap.config.dialects.kubernetespod import Template, config
from procwrap.config.dialects.references import Configs, Sources
from procwrap.config.dialects.translation import Native, Translation
from procwrap.config.fields import Fields, Place, attempt
from procwrap.config.node import Entry, Kind, Node
from procwrap.config.problem import Problem, WrongValueError
from procwrap.core.printable import printable, quoted

DIALECT = "Kubernetes"
BACKOFF_LIMIT = 6
"""Restarts that a Job allows if it says nothing."""

_CONTROLLER = "its controller's own business, outside of the Pod"
_ONCE = "it is run once, and now"


@frozen
class _Workload:
    """A kind of object that has containers.

    Attributes:
        way: the keys that lead to the Pod's template; none when the object is one itself.
        ignored: the keys of its spec that mean nothing here.
    """

    way: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    is_job: bool = False


_JOB = _Workload(
    ("template",),
    (
        *("activeDeadlineSeconds", "backoffLimitPerIndex", "completionMode", "completions", "managedBy"),
        *("manualSelector", "maxFailedIndexes", "parallelism", "podFailurePolicy", "podReplacementPolicy"),
        *("selector", "successPolicy", "suspend", "ttlSecondsAfterFinished"),
    ),
    is_job=True,
)
WORKLOADS = {
    "Pod": _Workload(()),
    "Deployment": _Workload(
        ("template",),
        (
            *("minReadySeconds", "paused", "progressDeadlineSeconds", "replicas", "revisionHistoryLimit"),
            *("selector", "strategy"),
        ),
    ),
    "StatefulSet": _Workload(
        ("template",),
        (
            *("minReadySeconds", "ordinals", "persistentVolumeClaimRetentionPolicy", "podManagementPolicy"),
            *("replicas", "revisionHistoryLimit", "selector", "serviceName", "updateStrategy"),
            "volumeClaimTemplates",
        ),
    ),
    "DaemonSet": _Workload(
        ("template",), ("minReadySeconds", "revisionHistoryLimit", "selector", "updateStrategy")
    ),
    "ReplicaSet": _Workload(("template",), ("minReadySeconds", "replicas", "selector")),
    "Job": _JOB,
    "CronJob": _Workload(
        ("jobTemplate", "template"),
        (
            *("concurrencyPolicy", "failedJobsHistoryLimit", "startingDeadlineSeconds"),
            *("successfulJobsHistoryLimit", "suspend", "timeZone"),
        ),
        is_job=True,
    ),
}
_DATA = ("ConfigMap", "Secret")


def objects(documents: Sequence[Node], translation: Translation) -> Native:
    """Translate the one object with containers among several; config maps and secrets beside it are used."""
    found = [place for document in documents for place in _flat(Place(document, "", translation.problems))]
    workloads = [place for place in found if _kind(place) in WORKLOADS]
    for place in found:
        if _kind(place) not in (*WORKLOADS, *_DATA):
            reason = f"ignored: {printable(_kind(place)[:40]) or 'this'} has no containers"
            translation.ignored.append(Problem(place.node.mark, paths.under(place.path, "kind"), reason))
    if not workloads:
        raise WrongValueError(_no_workload(found))
    for other in workloads[1:]:
        first = f"the {_kind(workloads[0])} in line {workloads[0].node.mark.line}"
        other.value("kind").report(f"only one object with containers can be run, and {first} is the first")
    return translation.finish(DIALECT, _translated(workloads[0], found, translation))


def bare(root: Node, translation: Translation) -> Native:
    """Translate a Pod's spec, or a list of containers."""
    if root.kind is Kind.LIST:
        containers = Entry(root.mark, evolve(root, origin="containers"))
        root = Node(Kind.MAPPING, root.mark, entries={"containers": containers})
    place = Place(root, "", translation.problems)
    pod = _Pod(place, {}, {})
    return translation.finish(DIALECT, _config(pod, _sources(pod, [], translation)))


@frozen
class _Pod:
    """Where a Pod's spec stands, and what is known about the Pod."""

    spec: Place
    metadata: Mapping[str, Place]
    known: Mapping[str, str]
    is_job: bool = False
    limit: int | None = None


def _translated(place: Place, others: Sequence[Place], translation: Translation) -> Node:
    pod = attempt(place, lambda found: _pod(found, translation), None)
    if pod is None:
        return nodes.stand_in(place)
    return _config(pod, _sources(pod, others, translation))


def _config(pod: _Pod, sources: Sources) -> Node:
    template = Template(pod.spec, sources, pod.is_job, pod.limit)
    made: Node | None = attempt(pod.spec, lambda _: config(template), None)
    return made or nodes.stand_in(pod.spec)


def _pod(place: Place, translation: Translation) -> _Pod | None:
    """Go down to the Pod's template, and see on the way that every key is known."""
    kind = _kind(place)
    workload = WORKLOADS[kind]
    top = metadata = _metadata(place)
    limit: int | None = None
    spec = _spec(place, ("apiVersion", "kind", "status"))
    for key in workload.way:
        if spec is None:
            return None
        here = WORKLOADS["Job"] if kind == "CronJob" and key == "template" else workload
        fields = Fields(spec)
        inner: Place | None = fields.require(key, _itself, None)
        translation.ignore(fields, spec, dict.fromkeys(here.ignored, _CONTROLLER))
        if key == "jobTemplate":
            translation.ignore(fields, spec, {"schedule": _ONCE})
        if here.is_job and key == "template":
            limit = fields.take("backoffLimit", readers.whole_number(0, 1_000_000), BACKOFF_LIMIT)
        fields.finish()
        if inner is None:
            return None
        metadata, spec = _metadata(inner), attempt(inner, _spec, None)
    if spec is None:
        return None
    known = {}
    if kind == "Pod" and "name" in top:
        known["metadata.name"] = top["name"].node.text
    if "namespace" in top:
        known["metadata.namespace"] = top["namespace"].node.text
    return _Pod(spec, metadata, known, workload.is_job, limit)


def _spec(place: Place, besides: Sequence[str] = ()) -> Place | None:
    """Read an object or template: its metadata is anybody's, its spec is what counts."""
    fields = Fields(place)
    for key in ("metadata", *besides):
        fields.take(key, _itself, None)
    spec: Place | None = fields.require("spec", _itself, None)
    fields.finish()
    return spec


def _itself(place: Place) -> Place:
    return place


def _metadata(place: Place) -> Mapping[str, Place]:
    return place.value("metadata").values() if "metadata" in place.node.entries else {}


def _sources(pod: _Pod, others: Sequence[Place], translation: Translation) -> Sources:
    known = dict(pod.known)
    for key in ("nodeName", "serviceAccountName"):
        if key in pod.spec.node.entries:
            known[f"spec.{key}"] = pod.spec.value(key).node.text
    labels, annotations = (
        pod.metadata[key].values() if key in pod.metadata else {} for key in ("labels", "annotations")
    )
    return Sources(
        translation, _data(others, "ConfigMap"), _data(others, "Secret"), known, labels, annotations
    )


def _data(others: Sequence[Place], kind: str) -> Configs:
    """Where the values of the config maps or secrets of the text are."""
    found: dict[str, dict[str, tuple[Place, bool]]] = {}
    for place in others:
        name = _metadata(place).get("name")
        if _kind(place) == kind and name is not None:
            values = found.setdefault(name.node.text, {})
            for key, encoded in (("data", kind == "Secret"), ("binaryData", True), ("stringData", False)):
                if key in place.node.entries:
                    values.update(
                        (word, (value, encoded)) for word, value in place.value(key).values().items()
                    )
    return Configs(found)


def _flat(place: Place) -> Iterator[Place]:
    """Yield an object, or what is in it if it is a list of them (``kubectl get -o yaml``)."""
    items = place.value("items") if "items" in place.node.entries else None
    if _kind(place).endswith("List") and items is not None:
        yield from items.items()
    else:
        yield place


def _kind(place: Place) -> str:
    return place.value("kind").node.text if "kind" in place.node.entries else ""


def _no_workload(found: Sequence[Place]) -> str:
    expected = f"expected one of {', '.join(WORKLOADS)}"
    kind = _kind(found[0]) if found else ""
    if len(found) == 1 and kind:
        near = found[0].nearest(kind, WORKLOADS)
        return f"kind: {quoted(kind)} has no containers: " + (f"did you mean {near}?" if near else expected)
    return f"nothing here has containers: {expected}"
