"""Applies ``sysProcAttr`` between fork(2) and execve(2), in the order that keeps privileges needed later.

Whatever cannot be applied stops that start with an error that names it: a child never runs with more
rights than were asked for.
"""

from __future__ import annotations

import grp
import os
import pwd
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from attrs import define, field

from procwrap.children import terminal
from procwrap.errors import SpawnError
from procwrap.spec.process import Attributes, Credential

if TYPE_CHECKING:
    from procwrap.children.launch import Command

_PLAIN = Attributes()
_SESSION_ONLY = Attributes(setsid=True)

T = TypeVar("T")
Step = tuple[str, Callable[[], object]]


@define(eq=False)
class Preparation:
    """What the child does with itself before it becomes the command.

    Attributes:
        needed: False when there is nothing to do, so that the fast vfork(2) can be used. When it is
            needed, it also enters the directory: that has to wait until the user was changed.
    """

    needed: bool
    _steps: tuple[Step, ...] = ()
    _reading: int = field(default=-1)
    _writing: int = field(default=-1)

    @classmethod
    @contextmanager
    def of(cls, command: Command) -> Iterator[Preparation]:
        """Look up names, load what the child must not load, and open the pipe it complains through.

        Raises:
            SpawnError: there is no such user or group.
        """
        niced = os.getpriority(os.PRIO_PROCESS, 0) != 0
        plain = command.attributes in (_PLAIN, _SESSION_ONLY) and command.descriptor is None
        if plain and not niced and not command.foreground and command.last_step is None:
            yield cls(needed=False)
            return
        steps = tuple(_steps(command, niced=niced))
        reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            yield cls(needed=True, steps=steps, reading=reading, writing=writing)
        finally:
            os.close(reading)
            os.close(writing)

    def run(self) -> None:
        """Do it all; runs in the child."""
        for name, step in self._steps:
            try:
                step()
            except BaseException as error:
                why = error.strerror if isinstance(error, OSError) else str(error)
                os.write(self._writing, f"cannot apply {name}: {why}".encode()[:4096])
                raise

    def problem(self) -> SpawnError | None:
        """Return what the child complained about, if it did."""
        try:
            text = os.read(self._reading, 4096) if self.needed else b""
        except BlockingIOError:
            return None
        return SpawnError(text.decode(errors="replace")) if text else None


def _steps(command: Command, *, niced: bool) -> Iterator[Step]:
    """Yield them in the order in which they are taken: each keeps what a later one needs."""
    if command.descriptor is not None:
        number, ours = command.descriptor
        yield f"fd {number}", lambda: os.dup2(ours, number)
    if command.foreground:
        yield "the terminal's foreground group", terminal.take
    yield from _priority(command.attributes, niced=niced)
    yield from _identity(command.attributes)
    if command.directory is not None:
        directory = command.directory
        yield f"dir {directory}", lambda: os.chdir(directory)
    if command.attributes.no_new_privs or command.attributes.pdeathsig is not None:
        yield from _process_controls(command.attributes)
    if command.last_step is not None:
        yield command.last_step


def _priority(asked: Attributes, *, niced: bool) -> Iterator[Step]:
    if asked.oom_score_adj is not None:
        score = asked.oom_score_adj
        yield f"oomScoreAdj {score}", lambda: _write_oom_score(score)
    if asked.nice is not None:
        nice = asked.nice
        yield f"nice {nice}", lambda: os.setpriority(os.PRIO_PROCESS, 0, nice)
    elif niced:
        yield "nice 0", _be_nice_as_usual
    for name, limits in asked.rlimits.items():
        yield f"rlimits.{name} {limits[0]}:{limits[1]}", _rlimit(name, limits)


def _identity(asked: Attributes) -> Iterator[Step]:
    user = _look_up(asked.credential)
    if user.groups is not None:
        groups = user.groups
        yield f"groups {list(groups)}", lambda: os.setgroups(groups)
    if asked.chroot is not None:
        root = asked.chroot
        yield f"chroot {root}", lambda: _enter(root)
    if asked.umask is not None:
        umask = asked.umask
        yield f"umask {umask:03o}", lambda: os.umask(umask)
    if user.gid is not None:
        gid = user.gid
        yield f"gid {gid}", lambda: os.setresgid(gid, gid, gid)
    if user.uid is not None:
        uid = user.uid
        yield f"uid {uid}", lambda: os.setresuid(uid, uid, uid)


def _process_controls(asked: Attributes) -> Iterator[Step]:
    from procwrap.children import prctl

    if asked.no_new_privs:
        yield "noNewPrivs", lambda: prctl.prctl(prctl.SET_NO_NEW_PRIVS, 1)
    if asked.pdeathsig is not None:
        # Changing credentials clears it, so it comes last.
        number, parent = asked.pdeathsig, os.getpid()

        def die_with_procwrap() -> None:
            prctl.prctl(prctl.SET_PDEATHSIG, number)
            if os.getppid() != parent:
                raise OSError("procwrap has gone in the meantime")

        yield f"pdeathsig {number}", die_with_procwrap


@define
class _User:
    uid: int | None
    gid: int | None
    groups: tuple[int, ...] | None


def _look_up(asked: Credential) -> _User:
    uid, gid = asked.uid, asked.gid
    if isinstance(uid, str):
        entry = _named(pwd.getpwnam, uid, "user")
        uid, gid = entry.pw_uid, entry.pw_gid if gid is None else gid
    elif uid is not None and gid is None:
        gid = _primary_group(uid)
    gid = _group(gid) if gid is not None else None
    groups = None if asked.groups is None else tuple(_group(group) for group in asked.groups)
    if groups is None and (uid is not None or gid is not None) and os.geteuid() == 0:
        # Root's supplementary groups are rights nobody asked for.
        groups = ()
    return _User(uid, gid, groups)


def _primary_group(uid: int) -> int | None:
    try:
        return pwd.getpwuid(uid).pw_gid
    except KeyError:
        return None


def _group(asked: int | str) -> int:
    return asked if isinstance(asked, int) else _named(grp.getgrnam, asked, "group").gr_gid


def _named(look_up: Callable[[str], T], name: str, kind: str) -> T:
    try:
        return look_up(name)
    except KeyError:
        raise SpawnError(f"cannot apply credential: no such {kind} {name!r}") from None


def _rlimit(name: str, limits: tuple[int, int]) -> Callable[[], None]:
    number = getattr(resource, f"RLIMIT_{name.upper()}", None)
    if number is None:
        raise SpawnError(f"cannot apply rlimits.{name}: this system has no such limit")
    return lambda: resource.setrlimit(number, limits)


def _write_oom_score(value: int) -> None:
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:
        score.write(str(value))


def _be_nice_as_usual() -> None:
    try:
        os.setpriority(os.PRIO_PROCESS, 0, 0)
    except PermissionError:
        # Nobody asked for it and the right to it is missing: it stays as nice as procwrap.
        return


def _enter(root: str) -> None:
    os.chroot(root)
    os.chdir("/")
