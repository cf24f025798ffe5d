"""A look at a Pyroscope server: would it take a profile from us? Imported in the thread that looks."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from procwrap.spec.profiling import Profiling

PUSH = "/push.v1.PusherService/Push"
TIMEOUT = 10.0
TAKES = (200, 400)
"""Pyroscope complains about a request without profiles, as ours is, to those whom it would listen to."""


def look(server: Profiling, explain: Callable[[OSError], str]) -> str:
    """Send a request without profiles, through the same proxy as the agent; blocks.

    Args:
        server: which.
        explain: says in the system's own words why nobody could be reached.

    Returns:
        What is wrong in one line without secrets, or nothing.
    """
    headers = {"Content-Type": "application/proto", "User-Agent": "procwrap"}
    if server.user:
        login = b64encode(f"{server.user}:{server.password}".encode()).decode("ascii")
        headers["Authorization"] = f"Basic {login}"
    try:
        with urlopen(Request(server.address + PUSH, b"", headers), timeout=TIMEOUT):
            return ""
    except HTTPError as error:
        with error:
            return "" if error.code in TAKES else f"{error.code}, expected 200"
    except URLError as error:
        return explain(error.reason) if isinstance(error.reason, OSError) else "it cannot be asked"
    except OSError as error:
        return explain(error)
    except HTTPException as error:
        return f"its answer is not HTTP ({type(error).__name__})"
