"""``securityContext`` of a Pod and its containers: what becomes ``sysProcAttr``."""

from __future__ import annotations

from attrs import frozen

from procwrap.config import readers
from procwrap.config.dialects import nodes
from procwrap.config.dialects.translation import Translation
from procwrap.config.fields import Fields, Place
from procwrap.config.node import Node
from procwrap.config.problem import Problem

HIGHEST_ID = 2**31 - 1

_ID = readers.whole_number(0, HIGHEST_ID)
_OURS = "a property of the container that procwrap runs in: set it there"
_IGNORED = dict.fromkeys(
    ("seLinuxOptions", "seccompProfile", "appArmorProfile", "windowsOptions", "sysctls"), _OURS
)
_IGNORED_OF_POD = _IGNORED | dict.fromkeys(
    ("fsGroupChangePolicy", "supplementalGroupsPolicy", "seLinuxChangePolicy"), _OURS
)
_IGNORED_OF_CONTAINER = _IGNORED | dict.fromkeys(("readOnlyRootFilesystem", "procMount"), _OURS)
_CANNOT = "cannot be done: no process has more rights than the container that procwrap runs in"


@frozen
class Security:
    """Whom the processes run as, where their container does not say so itself.

    Attributes:
        user: with the place that says so; the others likewise.
        groups: further groups.
    """

    user: tuple[Place, int] | None = None
    group: tuple[Place, int] | None = None
    groups: tuple[tuple[Place, int], ...] = ()
    not_root: tuple[Place, bool] | None = None


def of_pod(place: Place, translation: Translation) -> Security:
    """Read that of the Pod."""
    fields = Fields(place)
    fs_group = fields.take("fsGroup", _id, None)
    further = fields.take("supplementalGroups", readers.list_of(_id), ())
    made = Security(
        user=fields.take("runAsUser", _id, None),
        group=fields.take("runAsGroup", _id, None),
        groups=(*([fs_group] if fs_group else []), *further),
        not_root=fields.take("runAsNonRoot", _flag, None),
    )
    translation.ignore(fields, place, _IGNORED_OF_POD)
    fields.finish()
    return made


def of_container(place: Place, pod: Security, translation: Translation) -> Node | None:
    """Read that of a container, on top of the Pod's; return its ``sysProcAttr``.

    Raises:
        WrongValueError: it is no mapping.
    """
    fields = Fields(place)
    made = Security(
        user=fields.take("runAsUser", _id, None) or pod.user,
        group=fields.take("runAsGroup", _id, None) or pod.group,
        groups=pod.groups,
        not_root=fields.take("runAsNonRoot", _flag, None) or pod.not_root,
    )
    escalation = fields.take("allowPrivilegeEscalation", _flag, None)
    fields.take("privileged", _not_privileged, None)
    as_root = made.user[1] == 0 if made.user else translation.surroundings.root
    fields.take("capabilities", lambda value: _capabilities(value, translation, as_root=as_root), None)
    translation.ignore(fields, place, _IGNORED_OF_CONTAINER)
    fields.finish()
    return _attributes(place, made, translation, escalation[0] if escalation and not escalation[1] else None)


def inherited(place: Place, pod: Security, translation: Translation) -> Node | None:
    """Return the ``sysProcAttr`` of a container that has no securityContext of its own."""
    return _attributes(place, pod, translation, None)


def _attributes(place: Place, made: Security, translation: Translation, no_new: Place | None) -> Node | None:
    _check_root(made, translation)
    credential = {
        "uid": nodes.number(*made.user) if made.user else None,
        "gid": nodes.number(*made.group) if made.group else None,
        "groups": _list(made.groups),
    }
    values = {
        "credential": nodes.mapping(place, credential) if any(credential.values()) else None,
        "noNewPrivs": nodes.boolean(no_new, value=True) if no_new else None,
    }
    return nodes.mapping(place, values) if any(values.values()) else None


def _list(groups: tuple[tuple[Place, int], ...]) -> Node | None:
    unique = {number: place for place, number in groups}
    if not groups:
        return None
    return nodes.listing(groups[0][0], [nodes.number(place, number) for number, place in unique.items()])


def _check_root(made: Security, translation: Translation) -> None:
    if made.not_root is None or not made.not_root[1]:
        return
    if made.user is not None and made.user[1] == 0:
        made.user[0].report("expected another user than 0 (root): runAsNonRoot is true")
    elif made.user is None and translation.surroundings.root:
        made.not_root[0].report(
            "it would run as root, as procwrap does: say with runAsUser who else it is to run as"
        )


def _id(place: Place) -> tuple[Place, int]:
    return place, _ID(place)


def _flag(place: Place) -> tuple[Place, bool]:
    return place, readers.boolean(place)


def _not_privileged(place: Place) -> None:
    if readers.boolean(place):
        place.report(_CANNOT)


def _capabilities(place: Place, translation: Translation, *, as_root: bool) -> None:
    fields = Fields(place)
    added = fields.take("add", readers.list_of(readers.text), ())
    dropped = fields.take("drop", readers.list_of(readers.text), ())
    fields.finish()
    if added:
        place.value("add").report(_CANNOT)
    if dropped and as_root:
        place.value("drop").report("cannot be done for root: say with runAsUser who else it is to run as")
    elif dropped:
        where = place.value("drop")
        reason = (
            "ignored: who is not root has no capabilities, save those of the container that procwrap runs in"
        )
        translation.ignored.append(Problem(where.node.mark, where.path, reason))
