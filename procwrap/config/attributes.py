"""``sysProcAttr``: what the kernel is told about a process."""

from __future__ import annotations

from collections.abc import Mapping

from procwrap.config import readers, units
from procwrap.config.fields import Fields, Place
from procwrap.config.node import Kind
from procwrap.config.problem import WrongValueError
from procwrap.spec.process import Attributes, Credential

UNLIMITED = -1

RLIMITS = frozenset(
    {
        *("as", "core", "cpu", "data", "fsize", "memlock", "msgqueue", "nice"),
        *("nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack"),
    }
)
"""The resources of getrlimit(2)."""


def attributes(place: Place) -> Attributes:
    """Read ``sysProcAttr``; its keys may be written in any case, as in the Go struct of that name."""
    fields = Fields(place, any_case=True)
    made = Attributes(
        credential=fields.take("credential", _credential, Credential()),
        chroot=fields.take("chroot", readers.text, None),
        setsid=fields.take("setsid", readers.boolean, default=False),
        pdeathsig=fields.take("pdeathsig", readers.signal_number, None),
        umask=fields.take("umask", readers.umask, None),
        nice=fields.take("nice", readers.whole_number(-20, 19), None),
        oom_score_adj=fields.take("oomScoreAdj", readers.whole_number(-1000, 1000), None),
        rlimits=fields.take("rlimits", _rlimits, {}),
        no_new_privs=fields.take("noNewPrivs", readers.boolean, default=False),
    )
    fields.finish()
    return made


def _credential(place: Place) -> Credential:
    fields = Fields(place, any_case=True)
    made = Credential(
        uid=fields.take("uid", readers.account, None),
        gid=fields.take("gid", readers.account, None),
        groups=fields.take("groups", readers.list_of(readers.account), None),
    )
    fields.finish()
    return made


def _rlimits(place: Place) -> Mapping[str, tuple[int, int]]:
    if place.node.kind is not Kind.MAPPING:
        raise WrongValueError(f"expected a mapping of resources to limits, got {place.node.kind.value}")
    found: dict[str, tuple[int, int]] = {}
    for key, value in place.values().items():
        try:
            name = _resource(key.lower().removeprefix("rlimit_"), value)
            if name in found:
                raise WrongValueError(f"{name} is given twice: keep one of them")
            found[name] = _limits(value)
        except WrongValueError as error:
            value.report(str(error))
    return found


def _resource(name: str, place: Place) -> str:
    if name not in RLIMITS:
        near = place.nearest(name, sorted(RLIMITS))
        advice = f"did you mean {near}?" if near else "expected one of " + ", ".join(sorted(RLIMITS))
        raise WrongValueError(f"unknown resource: {advice}")
    return name


def _limits(place: Place) -> tuple[int, int]:
    """One limit for both, or ``{soft, hard}``; without ``hard`` the two are the same."""
    if place.node.kind is not Kind.MAPPING:
        limit = _limit(place)
        return limit, limit
    fields = Fields(place)
    soft = fields.require("soft", _limit, 0)
    hard = fields.take("hard", _limit, soft)
    fields.finish()
    if hard != UNLIMITED and (soft == UNLIMITED or soft > hard):
        raise WrongValueError("the soft limit is above the hard one")
    return soft, hard


def _limit(place: Place) -> int:
    if place.node.text.lower() in ("unlimited", "infinity", "-1"):
        return UNLIMITED
    return readers.scalar(units.size, "a limit such as 1024, 64Mi or unlimited")(place)
