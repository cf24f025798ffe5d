"""How a command line is shown to everybody: without secrets, on one line, and not too long."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from procwrap.core.secrets import HIDDEN, USERINFO, names_directory, without_passwords
from procwrap.spec.probe import SECRET_WORDS
from procwrap.spec.process import ProcessSpec

LONGEST = 200
"""Characters; what is cut off is replaced by an ellipsis."""

_SECRET = re.compile(SECRET_WORDS, re.IGNORECASE)
_FLAG = re.compile(r"(--?[^=\s]+)(?:=(.*))?", re.DOTALL)
_VALUE = r"""(?:"(?:[^"\\]|\\.)*+"|'[^']*'|\S+)"""
# Names are read whole or not at all, so that a script of any length is read once.
_SCHEME = r"(?:(?:bearer|basic|token|digest)\s++)?"
_ASSIGNED = re.compile(rf"(?<![\w.-])([\w.-]++)(\\*+[\"']?\s*+[=:]\s*+)({_SCHEME}{_VALUE})", re.IGNORECASE)
_FLAGGED = re.compile(rf"(?<!\S)(--?[\w.-]++)(\s++)({_VALUE})")
_LOGIN = re.compile(r"(?<![^\s\"'=])[^\s:@/\"'=]++:(?!//)[^\s@]{1,300}+@(?=\w*\(|\w+[.:/])")
"""As Go's MySQL driver and many others write it: ``user:password@tcp(db)``, ``user:password@db:5432``."""
_USER = re.compile(r"-u|--(?:proxy-)?user")
_USER_FLAG = re.compile(rf"(?<!\S)({_USER.pattern})([=\s]\s*+)([^\s:]++:)(?!\d++(?!\S))\S++")
"""As curl and others take it: ``-u user:password``; but ``-u 1000:1000`` is a user and a group."""
_LOGIN_WORD = re.compile(r"([^:]++:)(?!\d++\Z).++", re.DOTALL)
_BEARER = re.compile(r"(?<![\w.-])(bearer)(\s++)([^\s\"']++)", re.IGNORECASE)
_IN_VALUE = re.compile(r"""([\w.-]++)([=:])((?:"[^"]*"|'[^']*'|[^;&,\s])++)""")
_SHORTEST = 4
"""Shorter values are secrets only as a whole word, or no word would survive."""


def shown_command(spec: ProcessSpec) -> str:
    """Write the command line of a process with ``***`` in the place of secrets.

    Secrets are: the values of its variables with secret names, and of those with a URL the password in it;
    what follows a flag with a secret name, as in ``--password=x``, ``--password x`` and ``-token x``; values
    that are assigned to such a name, as in ``PGPASSWORD=x``; user and password of
    URLs, and of what looks like ``user:password@host`` or ``-u user:password``; and what follows ``Bearer``.
    """
    line = " ".join((spec.entrypoint, *shown_words(spec.args, secret_values(spec.envs))))
    line = " ".join(line.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def shown_words(words: Iterable[str], secrets: Iterable[str] = ()) -> list[str]:
    """Hide what is secret in the words of a command line, each of which remains a word.

    Args:
        words: the arguments.
        secrets: texts that are hidden wherever they stand.
    """
    hidden = tuple(secrets)
    return [shown_text(word, hidden) for word in _without_flags(words)]


def looks_secret(name: str) -> bool:
    """Return whether the value of a variable, key or parameter of this name is taken for a secret."""
    return _SECRET.search(name) is not None


def secret_values(variables: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield the values of variables with secret names, and of the others those with a password in a URL."""
    for name, value in variables:
        if value and _SECRET.search(name) and not names_directory(name, value):
            yield value
        elif found := USERINFO.search(value):
            yield value
            yield from filter(None, found[0][3:-1].split(":", 1)[1:])


def _without_flags(words: Iterable[str]) -> Iterator[str]:
    follows = user = False
    for word in words:
        flag = _FLAG.fullmatch(word)
        secret = flag is not None and _SECRET.search(flag[1]) is not None
        if flag is not None and secret and flag[2] is not None:
            yield f"{flag[1]}={HIDDEN}"
        elif follows and not secret:
            yield HIDDEN
        else:
            yield _LOGIN_WORD.sub(rf"\1{HIDDEN}", word) if user else word
        user = _USER.fullmatch(word) is not None
        follows = flag is not None and secret and flag[2] is None


def shown_text(word: str, secrets: Iterable[str] = ()) -> str:
    """Hide what is secret in a text: these secrets, logins, and what is assigned to a secret name."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST or word == secret:
            word = word.replace(secret, HIDDEN)
    word = _LOGIN.sub(f"{HIDDEN}@", without_passwords(word))
    # A script for a shell is one word with others in it.
    word = _BEARER.sub(rf"\1\2{HIDDEN}", _USER_FLAG.sub(rf"\1\2\3{HIDDEN}", word))
    return _ASSIGNED.sub(_hidden, _FLAGGED.sub(_hidden_value, word))


def _hidden(found: re.Match[str]) -> str:
    if _SECRET.search(found[1]):
        return _hidden_value(found)
    # ``host=db;password=x``: the value of a harmless name may hold further ones.
    return f"{found[1]}{found[2]}{_IN_VALUE.sub(_hidden_value, found[3])}"


def _hidden_value(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2]}{HIDDEN}" if _SECRET.search(found[1]) else found[0]
