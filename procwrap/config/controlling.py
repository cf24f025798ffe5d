"""Who may control procwrap: the keys of ``api``, the option and the variables for it."""

from __future__ import annotations

from attrs import evolve, frozen

from procwrap.config import readers
from procwrap.config.controlpath import default_socket
from procwrap.config.fields import Fields, Place
from procwrap.config.problem import WrongValueError
from procwrap.core.token import LONGEST, is_token
from procwrap.spec.control import Control, ServerTls
from procwrap.spec.plan import Given, Plan

OFF = ""
"""What stands for no control socket, where a path could stand."""


@frozen
class Api:
    """What a config says about HTTP."""

    socket: str | None = None
    control: Control = Control()


def api(place: Place) -> Api:
    """Read ``api`` of a native config."""
    fields = Fields(place)
    made = Api(
        fields.take("socket", readers.listen_address, None),
        Control(
            token=fields.take("token", lambda found: token(readers.literal(found)), None),
            token_file=fields.take("tokenFile", readers.text, None),
            tls=fields.take("tls", _tls, None),
        ),
    )
    fields.finish()
    return made


def _tls(place: Place) -> ServerTls:
    fields = Fields(place)
    made = ServerTls(fields.require("key", readers.text, ""), fields.require("cert", readers.text, ""))
    fields.finish()
    return made


def token(text: str) -> str:
    """Read a token, which has to fit into a header; the message never shows it."""
    if not is_token(text):
        raise WrongValueError(
            f"expected a token: at least one and at most {LONGEST} printable ASCII characters, no white space"
        )
    return text


def socket(text: str) -> str:
    """Read where the control socket is to be; ``off`` is nowhere."""
    if not text:
        raise WrongValueError("expected a path or off, got an empty value")
    return OFF if text.lower() == "off" else text


def control(argv: Given, env: Given, plan: Plan, *, served: bool) -> Control:
    """Merge what every source says about who may control procwrap.

    A token of the environment replaces whatever the config says about it.

    Args:
        argv: what the command line says.
        env: what the environment says.
        plan: what the config says.
        served: whether HTTP is served; without it there is a control socket only where it is asked for.
    """
    said = plan.control
    if env.api_token_file is not None or env.api_token is not None:
        said = evolve(said, token=env.api_token, token_file=env.api_token_file)
    asked = env.control_socket if argv.control_socket is None else argv.control_socket
    if asked is not None:
        return evolve(said, socket=asked or None, socket_required=asked != OFF)
    return evolve(said, socket=default_socket(env.runtime_directory) if served else None)
