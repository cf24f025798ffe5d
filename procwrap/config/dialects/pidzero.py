"""pidzero's config: daemons, of which the vital ones must not end."""

from __future__ import annotations

from attrs import evolve

from procwrap.config import names, readers
from procwrap.config.dialects import nodes
from procwrap.config.dialects.translation import Native, Translation
from procwrap.config.fields import Fields, Place
from procwrap.config.node import Kind, Node
from procwrap.config.problem import WrongValueError

DIALECT = "pidzero"

_NO_LOG = "requests are not logged"


def to_native(root: Node, translation: Translation) -> Native:
    """Translate a whole config."""
    place = Place(root, "", translation.problems)
    fields = Fields(place)
    processes = fields.require("daemons", readers.list_of(_daemon), ())
    api = fields.take("api", lambda found: _api(found, translation), None)
    logs = fields.take("pidzero", lambda found: _pidzero(found, translation), None)
    fields.finish()
    if not processes:
        if "daemons" in root.entries:
            place.value("daemons").report("expected at least one daemon, got an empty list")
        return translation.finish(DIALECT, nodes.stand_in(place))
    daemons = place.value("daemons")
    values = {
        "processes": nodes.listing(daemons, processes),
        "api": api,
        "logs": logs or _format(place, "json"),
    }
    return translation.finish(DIALECT, nodes.mapping(place, values))


def _daemon(place: Place) -> Node:
    fields = Fields(place)
    name: Place | None = fields.require("name", _itself, None)
    fields.take("description", readers.literal, "")
    command: Place | None = fields.require("command", _itself, None)
    vital = fields.take("vital", readers.boolean, default=True)
    logged = fields.take("log", readers.boolean, default=True)
    values = {
        "name": None if name is None else _moved(name),
        "entrypoint": nodes.text(place, "none") if command is None else _moved(command),
        "args": fields.take(
            "args", lambda found: found.node if found.node.kind is Kind.NULL else _moved(found), None
        ),
        "envs": fields.take("env", _envs, None),
        "vital": nodes.boolean(place, value=vital),
        "restartPolicy": nodes.text(place, "never"),
        "discardOutput": None if logged else nodes.boolean(place.value("log"), value=True),
    }
    fields.finish()
    return nodes.mapping(place, values)


def _envs(place: Place) -> Node | None:
    found = readers.list_of(_assignment)(place)
    if not found:
        return None
    return nodes.mapping(place, {name: nodes.text(where, value) for where, name, value in found})


def _assignment(place: Place) -> tuple[Place, str, str]:
    name, equals, value = readers.literal(place).partition("=")
    if not equals:
        raise WrongValueError("expected NAME=value")
    names.check_env(name)
    return place, name, value


def _api(place: Place, translation: Translation) -> Node:
    fields = Fields(place)
    host = fields.take("host", readers.literal, "")
    port = fields.require("port", readers.whole_number(1, 65535), 1)
    https = fields.take("https", _https, None)
    token: Place | None = fields.take("auth", _auth, None)
    translation.ignore(fields, place, {"accesslog": _NO_LOG, "logping": _NO_LOG})
    fields.finish()
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return nodes.mapping(
        place,
        {
            "socket": nodes.text(place, address),
            "token": None if token is None else _moved(token),
            "tls": https,
        },
    )


def _https(place: Place) -> Node | None:
    """The files for TLS, if it is enabled; pidzero itself reads them as ``privatekey`` and ``publickey``."""
    fields = Fields(place)
    enabled = fields.take("enabled", readers.boolean, default=False)
    private = [fields.take(key, readers.literal, "") for key in ("private_key", "privatekey")]
    public = [fields.take(key, readers.literal, "") for key in ("public_key", "publickey")]
    signs = fields.take("selfsign", readers.boolean, default=False)
    fields.finish()
    if not enabled:
        return None
    if signs:
        place.value("selfsign").report("cannot be done: make a certificate, and say where it is")
    if not any(private) or not any(public):
        place.report("expected private_key and public_key: where the key and the certificate are")
        return None
    key, cert = private[0] or private[1], public[0] or public[1]
    return nodes.mapping(place, {"key": nodes.text(place, key), "cert": nodes.text(place, cert)})


def _auth(place: Place) -> Place | None:
    """Where the token stands, if it is needed."""
    fields = Fields(place)
    enabled = fields.take("enabled", readers.boolean, default=False)
    key = fields.take("key", readers.literal, "")
    fields.finish()
    if enabled and not key:
        place.report("expected a key: the token that has to be sent")
    return place.value("key") if enabled and key else None


def _pidzero(place: Place, translation: Translation) -> Node:
    fields = Fields(place)
    pretty = fields.take("prettylogging", readers.boolean, default=False)
    reasons = {
        "buffersize": "no line is lost, however long the queue",
        "loglevel": "every line of the daemons is written; --debug shows procwrap's own debug messages",
    }
    translation.ignore(fields, place, reasons)
    fields.finish()
    return _format(place, "free" if pretty else "json")


def _format(place: Place, word: str) -> Node:
    return nodes.mapping(place, {"format": nodes.text(place, word)})


def _moved(place: Place) -> Node:
    return evolve(place.node, origin=place.path)


def _itself(place: Place) -> Place:
    return place
