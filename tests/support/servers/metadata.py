"""The metadata services of three clouds, as they really answer, for tests that preempt us."""

from __future__ import annotations

import json
from threading import Condition
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.servers.beside import Beside, Talk

VALUE = "/computeMetadata/v1/instance/preempted"
_FLAVOR = {"Metadata-Flavor": "Google"}


class Google(Beside):
    """Google's: holds an answer back until the value changes."""

    def __init__(self) -> None:
        super().__init__(self.say)
        self._changed = Condition()
        self._value, self._version = "FALSE", 1

    def set(self, value: str) -> None:
        """Change the value."""
        with self._changed:
            self._value, self._version = value, self._version + 1
            self._changed.notify_all()

    def say(self, talk: Talk) -> None:
        """Answer as the documentation says."""
        parts = urlsplit(talk.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if talk.headers.get("Metadata-Flavor") != "Google":
            talk.answer(403, b"Your client does not have permission")
        elif parts.path != VALUE:
            talk.answer(404, b"", _FLAVOR)
        else:
            with self._changed:
                if asked.get("wait_for_change") == "true":
                    seconds = float(asked.get("timeout_sec", "600"))
                    self._changed.wait_for(
                        lambda: self.over.is_set() or asked.get("last_etag") != f"{self._version:x}", seconds
                    )
                value, etag = self._value, f"{self._version:x}"
            talk.answer(200, value.encode(), {**_FLAVOR, "ETag": etag})

    def __exit__(self, *error: object) -> None:
        self.over.set()
        with self._changed:
            self._changed.notify_all()
        super().__exit__(*error)


class Aws(Beside):
    """AWS's, version 2: nothing without a token.

    Attributes:
        action: what is to become of the machine.
        token: the only one that counts.
    """

    def __init__(self) -> None:
        super().__init__(self.say)
        self.action: dict[str, str] | None = None
        self.token = "AQAEAtoken-1=="

    def say(self, talk: Talk) -> None:
        """Answer as the documentation says."""
        if talk.path == "/latest/api/token":
            lasts = talk.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
            good = talk.command == "PUT" and lasts.isdecimal() and 1 <= int(lasts) <= 21_600
            talk.answer(200, self.token.encode()) if good else talk.answer(400)
        elif talk.headers.get("X-aws-ec2-metadata-token") != self.token:
            talk.answer(401)
        elif talk.path != "/latest/meta-data/spot/instance-action" or self.action is None:
            talk.answer(404)
        else:
            talk.answer(200, json.dumps(self.action).encode())


class Azure(Beside):
    """Azure's: the events of all machines of a scale set.

    Attributes:
        events: those that are scheduled.
    """

    def __init__(self, name: str) -> None:
        super().__init__(self.say)
        self._name = name
        self.events: list[dict[str, Any]] = []

    def say(self, talk: Talk) -> None:
        """Answer as the documentation says."""
        parts = urlsplit(talk.path)
        if talk.headers.get("Metadata") != "true" or "api-version=" not in parts.query:
            talk.answer(400)
        elif parts.path == "/metadata/instance/compute/name":
            talk.answer(200, self._name.encode())
        elif parts.path == "/metadata/scheduledevents":
            talk.answer(200, json.dumps({"DocumentIncarnation": 1, "Events": self.events}).encode())
        else:
            talk.answer(404)


def preempt(*names: str, status: str = "Scheduled", kind: str = "Preempt") -> dict[str, Any]:
    """Return an event of Azure's."""
    return {
        "EventId": "602d9444-d2cd-49c7-8624-8643e7171297",
        "EventType": kind,
        "ResourceType": "VirtualMachine",
        "Resources": list(names),
        "EventStatus": status,
        "NotBefore": "Mon, 19 Sep 2026 18:29:47 GMT",
        "Description": "Virtual machine is going to be preempted",
        "EventSource": "Platform",
        "DurationInSeconds": -1,
    }
