from __future__ import annotations

from procwrap.config.controlpath import default_socket


def test_where_the_control_socket_is() -> None:
    """A relative runtime directory is ignored, as its specification says."""
    assert default_socket(None) == default_socket("") == default_socket("x/y") == "/run/procwrap.sock"
    assert default_socket("/run/user/7") == default_socket("/run/user/7/") == "/run/user/7/procwrap.sock"
