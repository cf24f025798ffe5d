"""Who tells us that the machine is about to be taken away."""

from __future__ import annotations

import enum

from attrs import field, frozen

from procwrap.spec.probe import SECRET


class Cloud(enum.Enum):
    """Whose machine it is; each announces the end of a spot machine in its own way."""

    GOOGLE = "google"
    AWS = "aws"
    AZURE = "azure"


DEFAULT_METADATA = {
    Cloud.GOOGLE: "http://metadata.google.internal/computeMetadata/v1/instance/preempted",
    Cloud.AWS: "http://169.254.169.254",
    Cloud.AZURE: "http://169.254.169.254",
}
"""Of Google's server the very value, of the other two the server."""


@frozen
class Preemption:
    """Watch for the end of the machine.

    Attributes:
        url: what is asked, as in ``DEFAULT_METADATA``.
    """

    cloud: Cloud
    url: str = field(metadata=SECRET, repr=False)
