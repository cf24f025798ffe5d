"""How much of us a client, or all of them together, can take."""

from __future__ import annotations

from attrs import evolve, frozen


@frozen
class Limits:
    """Bounds of the HTTP floor; durations are seconds, sizes bytes.

    Attributes:
        patience: for a request to come in whole, for the next one on a kept connection, and for a client
            to read its answer.
        head: request line and headers together.
        body: of a request.
        ahead: what a client may send on while it waits for an answer.
        connections: how many are served.
        crowd: how many more are listened to for one request of health each, so that a flood of connections
            does not look like a dead host to the kubelet; all their other requests get 503.
        crowd_patience: how long one of these may stay silent.
        linger: how long what a refused client still sends is read and thrown away. Closing at once would
            reset the connection, and the client could not read why.
        waiting: requests with ``?wait``, and those that follow something.
        orders: of operators that wait for what they have ordered. They have seats of their own, so that a
            crowd of strangers, who may follow and wait, too, keeps nobody from stopping a process.
    """

    patience: float = 10.0
    head: int = 16 * 1024
    body: int = 64 * 1024
    ahead: int = 16 * 1024
    connections: int = 1000
    crowd: int = 100
    crowd_patience: float = 1.0
    linger: float = 1.0
    waiting: int = 100
    orders: int = 20

    def within(self, descriptors: int) -> Limits:
        """Return limits that leave at least half of so many file descriptors to the processes we start.

        Args:
            descriptors: that procwrap may open; less than nothing is unlimited, as in getrlimit(2).
        """
        if descriptors < 0:
            return self
        room = max(descriptors // 2 - self.crowd, 1)
        return evolve(self, connections=min(self.connections, room))
