"""The options of the command line, once: for argv, the environment, --help and the twistd plugin."""

from __future__ import annotations

from collections.abc import Callable

from attrs import field, frozen

from procwrap.config import controlling, draining, locks, lockserving, profiling, units
from procwrap.config.problem import WrongValueError
from procwrap.spec.lock import DEFAULT_URL


def _text(value: str) -> str:
    if not value:
        raise WrongValueError("expected a value, got an empty one")
    return value


def names(value: str) -> tuple[str, ...]:
    """Read names with commas between them."""
    return tuple(name for name in (part.strip() for part in value.split(",")) if name)


@frozen
class Option:
    """One option.

    Attributes:
        name: as it is written after ``--``.
        meaning: what it does, for --help.
        target: the attribute of ``spec.plan.Given`` that it sets.
        metavar: what its value is called; None for a flag, which may still be given as ``-debug=false``.
        read: turns the value into what the attribute holds.
        default: what holds without it, for --help.
        inverted: a flag that sets its attribute to False.
        from_environment: whether ``PROCWRAP_…`` sets it too.
        also: another name for it, which --help does not show.
        short: the letter that stands for it after a single dash.
        repeatable: it may be given several times; its attribute holds all values.
    """

    name: str
    meaning: str
    target: str
    metavar: str | None = None
    read: Callable[[str], object] = units.switch
    default: str = ""
    inverted: bool = False
    from_environment: bool = field(default=True, kw_only=True)
    also: str = field(default="", kw_only=True)
    short: str = field(default="", kw_only=True)
    repeatable: bool = field(default=False, kw_only=True)

    @property
    def is_flag(self) -> bool:
        """Whether it needs no value."""
        return self.metavar is None

    @property
    def variable(self) -> str:
        """The environment variable that stands for it."""
        return "PROCWRAP_" + self.name.upper().replace("-", "_")

    def value(self, text: str) -> object:
        """What the attribute of Given becomes.

        Raises:
            WrongValueError: the text is no such value.
        """
        value = self.read(text)
        return not value if self.inverted else value

    def of_variable(self, text: str) -> object:
        """The same for its variable, in which several values have blanks between them.

        Raises:
            WrongValueError: the text is no such value.
        """
        return tuple(map(self.value, text.split())) if self.repeatable else self.value(text)


OPTIONS = (
    Option("config", "config file, YAML or JSON; - is standard input", "config", "FILE", _text),
    Option("debug", "debug messages of procwrap itself", "debug"),
    Option(
        "graceful-shutdown-deadline",
        "from the stop signal to SIGKILL; none for a wrapped command",
        "graceful_shutdown_deadline",
        "DUR",
        units.duration,
        "10s",
    ),
    Option(
        "readiness-file",
        "written once all is healthy; none for a wrapped command",
        "readiness_file",
        "FILE",
        _text,
        "/tmp/started",
    ),
    Option("skip-commands", "leave these processes of the config out", "skip_commands", "A,B", names),
    Option(
        "http",
        "serve HTTP; off for a wrapped command without HEALTH_SOCKET",
        "http",
        "on|off",
        units.switch,
        "on",
    ),
    Option(
        "control-socket",
        "where operators need no token, if HTTP is served",
        "control_socket",
        "PATH|off",
        controlling.socket,
        "/run/procwrap.sock",
    ),
    Option("wait", "run nothing, wait for the readiness file; exit 1 at the deadline", "wait"),
    Option("wait-deadline", "for --wait", "wait_deadline", "DUR", units.duration, "2m0s"),
    Option(
        "no-reap-group",
        "let live what a wrapped command left of its process group",
        "reap_group",
        inverted=True,
    ),
    Option(
        "prommerge-empty-on-failure",
        "one failing target empties /prommerge",
        "prommerge_empty_on_failure",
    ),
    Option("prommerge-async", "scrape the targets at the same time", "prommerge_async", default="on"),
    Option("prommerge-sort", "sort the merged families and samples", "prommerge_sort", default="on"),
    Option("prommerge-omit-meta", "leave HELP and TYPE lines out", "prommerge_omit_meta"),
    Option(
        "prommerge-suppress-errors",
        "do not log failing targets",
        "prommerge_suppress_errors",
        # As the seed spells it.
        also="prommerge-supress-errors",
    ),
    Option(
        "pyroscope-url",
        "profile procwrap itself, for this server; needs procwrap[pyroscope]",
        "profiling",
        "URL",
        profiling.server,
    ),
    Option("shared-lock", "run the lock server, and no processes", "shared_lock"),
    Option(
        "shared-lock-url",
        "the lock server that lock probes ask",
        "shared_lock_url",
        "URL",
        locks.server_url,
        DEFAULT_URL,
    ),
    Option("shared-lock-store", "its file of leases; without etcd", "lock_store", "FILE", _text, ":memory:"),
    Option(
        "shared-lock-max-ttl",
        "the longest TTL that it grants; without etcd",
        "lock_longest_ttl",
        "DUR",
        lockserving.longest_ttl,
        "10s",
    ),
    Option("shared-lock-etcd-tls", "TLS to etcd, with client certificates", "lock_etcd_tls"),
    Option("envoy-drain", "first drain Envoy's listeners, at the end and when preempted", "envoy_drain"),
    Option(
        "envoy-wait",
        "start when the Envoy of this admin interface is LIVE",
        "envoy_wait",
        "URL",
        draining.server,
    ),
    Option("envoy-quit", "at the end POST URL/quitquitquit", "envoy_quit", "URL", draining.server),
    Option(
        "shutdown-http-get",
        "-g: at the end GET this, to end a sidecar",
        "shutdown_http_get",
        "URL",
        draining.url,
        short="g",
        repeatable=True,
    ),
    Option(
        "shutdown-http-post",
        "-p: at the end POST to this",
        "shutdown_http_post",
        "URL",
        draining.url,
        short="p",
        repeatable=True,
    ),
    Option(
        "shutdown-kill",
        "at the end SIGTERM to executables of this name",
        "shutdown_kill",
        "NAME",
        draining.executable,
        repeatable=True,
    ),
    Option("shutdown-kill-all", "at the end SIGTERM to all other processes", "shutdown_kill_all"),
    Option("secrets-dir", "secrets and config maps of a manifest: DIR/NAME/KEY", "secrets_dir", "DIR", _text),
    Option("wait-sidecars", "start when all other containers of the Pod are ready", "wait_sidecars"),
    # Images often have the version of what they hold in a variable of just this name.
    Option("version", "print the version", "version", from_environment=False),
)

BY_NAME = {option.name: option for option in OPTIONS} | {
    other: option for option in OPTIONS for other in (option.also, option.short) if other
}
