"""Who we are to the API server, and how it shows who it is: the files of the Pod's service account."""

from __future__ import annotations

import os.path
import re

from attrs import frozen

from procwrap.pod.problem import ApiError

MOST_BYTES = 1024 * 1024

_TOKEN = re.compile(r"[\x21-\x7e]+\Z")
"""What can stand in a header; the kubelet writes a JSON Web Token."""
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")


@frozen
class ServiceAccount:
    """Reads them anew each time: the kubelet replaces the token about once an hour.

    They lie in memory (a projected volume is a tmpfs), so that reading them keeps nobody waiting.

    Args:
        directory: of the files.
    """

    _directory: str

    def token(self) -> str:
        """Return the token as it is now.

        Raises:
            ApiError: there is none.
        """
        text = self._read("token").decode("latin-1").strip()
        if not _TOKEN.match(text):
            raise ApiError(f"{self._path('token')} holds no token", refused=True)
        return text

    def authorities(self) -> bytes:
        """Return the certificates of the cluster's authorities, one PEM block after the other.

        Raises:
            ApiError: there are none.
        """
        return self._read("ca.crt")

    def namespace(self) -> str:
        """Return the namespace of the Pod.

        Raises:
            ApiError: it does not stand there.
        """
        text = self._read("namespace").decode("latin-1").strip()
        if not _NAMESPACE.match(text):
            raise ApiError(f"{self._path('namespace')} holds no namespace", refused=True)
        return text

    def _path(self, name: str) -> str:
        return os.path.join(self._directory, name)

    def _read(self, name: str) -> bytes:
        try:
            with open(self._path(name), "rb") as file:
                return file.read(MOST_BYTES)
        except OSError as error:
            text = (
                f"cannot read {self._path(name)}: {(error.strerror or str(error)).lower()}: the Pod has no "
                "service account's files, or automountServiceAccountToken is false"
            )
            raise ApiError(text, refused=True) from None
