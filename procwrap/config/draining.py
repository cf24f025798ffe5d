"""What is asked about preemption, Envoy and the end of sidecars: options, and the variables of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from attrs import evolve, frozen

from procwrap.config import units
from procwrap.config.problem import WrongValueError
from procwrap.core.printable import quoted
from procwrap.errors import UsageError
from procwrap.spec.envoy import DEFAULT_DRAIN_URL, Envoy
from procwrap.spec.plan import Given
from procwrap.spec.preemption import DEFAULT_METADATA, Cloud, Preemption
from procwrap.spec.quitting import QuitRequest, Quitting

T = TypeVar("T")
D = TypeVar("D")

_CLOUDS = {"google": Cloud.GOOGLE, "gcp": Cloud.GOOGLE, "aws": Cloud.AWS, "azure": Cloud.AZURE}
_LOCAL = ("localhost", "127.0.0.1", "::1")


def url(text: str) -> str:
    """Read a URL that something is asked at; its query may hold whatever it likes."""
    # 3 ms that only those pay who have one.
    from procwrap.config.weburl import split_url, with_host

    parts = split_url(text, "http://localhost:15000/quitquitquit")
    if not text.isascii():
        raise WrongValueError("expected a URL in ASCII: others are written with %")
    return with_host(parts)._replace(fragment="").geturl()


def server(text: str) -> str:
    """Read the URL of a server, to which paths are added."""
    from procwrap.config.weburl import server_url

    found = server_url(text, "http://localhost:15000")
    if not text.isascii():
        raise WrongValueError("expected a URL in ASCII: others are written with %")
    return found


def executable(text: str) -> str:
    """Read the name of an executable, as pkill takes it: without a path."""
    name = text.strip()
    if not name or "/" in name or not name.isprintable():
        raise WrongValueError(f"expected the name of an executable, such as pilot-agent, got {quoted(text)}")
    return name


def cloud(text: str) -> Cloud | None:
    """Read whose machine it is; plain yes is Google's."""
    word = text.strip().lower()
    if word in _CLOUDS:
        return _CLOUDS[word]
    try:
        return Cloud.GOOGLE if units.switch(word) else None
    except WrongValueError:
        raise WrongValueError(
            f"expected 1, true or enabled (Google), aws, azure, or off; got {quoted(text)}"
        ) from None


def envoy(argv: Given, env: Given) -> Envoy:
    """Return what is asked of Envoy: options go before other variables."""
    drains = argv.envoy_drain if argv.envoy_drain is not None else env.envoy_drain
    others = env.envoy or Envoy()
    return evolve(
        others,
        drain=(others.drain or DEFAULT_DRAIN_URL) if drains else None,
        wait=argv.envoy_wait or env.envoy_wait or others.wait,
        quit=argv.envoy_quit or env.envoy_quit or others.quit,
    )


def quitting(argv: Given, env: Given) -> Quitting:
    """Return how sidecars are ended; of each option, the command line replaces the environment."""
    gets = argv.shutdown_http_get or env.shutdown_http_get or ()
    posts = argv.shutdown_http_post or env.shutdown_http_post or ()
    requests = [QuitRequest("GET", found) for found in gets]
    requests += [QuitRequest("POST", found) for found in (*posts, *(env.quit_endpoints or ()))]
    kill_all = argv.shutdown_kill_all if argv.shutdown_kill_all is not None else env.shutdown_kill_all
    return Quitting(tuple(requests), argv.shutdown_kill or env.shutdown_kill or (), bool(kill_all))


def from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    """Read what is no option, for the attributes of ``Given``; an empty variable says nothing.

    Raises:
        UsageError: a value is none; the message names the variable.
    """
    read = _Reader(environ)
    found = {
        "preemption": _preemption(read),
        "envoy": _envoy(read),
        "quit_endpoints": read("GENERIC_QUIT_ENDPOINTS", _urls, None),
    }
    return {target: said for target, said in found.items() if said is not None}


@frozen
class _Reader:
    """Reads variables, in the words of the variable that is wrong."""

    _environ: Mapping[str, str]

    def __call__(self, variable: str, parse: Callable[[str], T], default: D) -> T | D:
        text = self._environ.get(variable, "").strip()
        if not text:
            return default
        try:
            return parse(text)
        except WrongValueError as error:
            raise UsageError(f"{variable}: {error}") from None


def _preemption(read: _Reader) -> Preemption | None:
    asked = read("HANDLE_PREEMPTION", cloud, None)
    if asked is None:
        return None
    # Of Google's server the very value is asked, of the others we know the paths.
    where = url if asked is Cloud.GOOGLE else server
    return Preemption(asked, read("METADATA_URL", where, DEFAULT_METADATA[asked]))


def _envoy(read: _Reader) -> Envoy | None:
    """Read scuttle's variables, and where listeners are drained; that this is wanted is an option."""
    admin = read("ENVOY_ADMIN_API", server, None)
    quits = read("ISTIO_QUIT_API", server, admin if admin is not None and _is_local(admin) else None)
    made = Envoy(
        drain=read("ENVOY_DRAIN_URL", url, None),
        wait=None if read("START_WITHOUT_ENVOY", units.switch, default=False) else admin,
        # Nothing is for ever there.
        start_after=read("WAIT_FOR_ENVOY_TIMEOUT", units.duration, 0.0) or None,
        give_up_after=read("QUIT_WITHOUT_ENVOY_TIMEOUT", units.duration, 0.0) or None,
        quit=None if read("NEVER_KILL_ISTIO", units.switch, default=False) else quits,
        quit_on_failure=not read("NEVER_KILL_ISTIO_ON_FAILURE", units.switch, default=False),
    )
    return None if made == Envoy() else made


def _urls(text: str) -> tuple[str, ...]:
    return tuple(url(part.strip()) for part in text.split(",") if part.strip())


def _is_local(found: str) -> bool:
    from urllib.parse import urlsplit

    return urlsplit(found).hostname in _LOCAL
