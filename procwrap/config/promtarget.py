"""``promTarget``: where a process shows its metrics."""

from __future__ import annotations

from procwrap.config.fields import Place
from procwrap.config.probes import url_and_login
from procwrap.spec.process import PromTarget


def prom_target(place: Place) -> PromTarget:
    """A URL; a user and password in it become a header, and leave the URL."""
    return PromTarget(*url_and_login(place))
