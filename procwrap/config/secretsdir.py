"""The files below ``--secrets-dir``: ``NAME/KEY`` holds one value of a secret or config map, as mounted."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from attrs import frozen

from procwrap.config import find
from procwrap.config.problem import WrongValueError
from procwrap.config.surroundings import Surroundings
from procwrap.core.printable import printable, quoted
from procwrap.errors import UsageError

MOST_KEYS = 10_000
MOST_BYTES = 4 * 1024 * 1024
"""More than the megabyte that Kubernetes allows a secret to have can hold in practice."""

_NAME = re.compile(r"(?!\.\.)[A-Za-z0-9._-]{1,253}\Z")
"""What Kubernetes allows the name or a key to be; ``..data`` and the like are its own."""


@frozen
class SecretsDir:
    """Secrets and config maps as directories of files.

    Attributes:
        directory: the one that holds those directories.
    """

    directory: str

    def one(self, name: str, key: str) -> str | None:
        """Return the content of ``NAME/KEY``; None when there is no such file.

        Raises:
            WrongValueError: it cannot be read.
        """
        return self._read(os.path.join(self.directory, _checked(name), _checked(key)))

    def all(self, name: str) -> Mapping[str, str] | None:
        """Return the content of every file of ``NAME``; None when there is no such directory.

        Raises:
            WrongValueError: one of them cannot be read.
        """
        folder = os.path.join(self.directory, _checked(name))
        try:
            keys = sorted(key for key in os.listdir(folder) if _NAME.match(key))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise WrongValueError(
                f"cannot read {printable(folder)}: {os.strerror(error.errno or 0)}"
            ) from None
        if len(keys) > MOST_KEYS:
            raise WrongValueError(f"{printable(folder)} has more than {MOST_KEYS:,} files")
        found: dict[str, str] = {}
        size = 0
        for key in keys:
            value = self._read(os.path.join(folder, key))
            if value is not None:
                found[key] = value
                size += len(value)
            if size > MOST_BYTES:
                raise WrongValueError(f"{printable(folder)} has more than {MOST_BYTES // 1024 // 1024} MiB")
        return found

    def _read(self, path: str) -> str | None:
        try:
            return find.read_path(path).decode()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except UnicodeDecodeError:
            raise WrongValueError(f"cannot read {printable(path)}: it is not UTF-8") from None
        except (OSError, ValueError) as error:
            raise WrongValueError(f"cannot read {printable(path)}: {find.reason(error)}") from None


def surroundings(environ: Mapping[str, str], directory: str | None) -> Surroundings:
    """Return where a config is loaded.

    Raises:
        UsageError: the directory is none.
    """
    if directory is None:
        return Surroundings(environ, None, os.geteuid() == 0)
    if not os.path.isdir(directory):
        raise UsageError(f"--secrets-dir: {printable(directory)} is no directory")
    return Surroundings(environ, SecretsDir(directory), os.geteuid() == 0)


def _checked(name: str) -> str:
    if not _NAME.match(name) or name == ".":
        raise WrongValueError(f"expected the name of a secret, config map or key, got {quoted(name)}")
    return name
