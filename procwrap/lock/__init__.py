"""One at a time among many Pods: the lease server, its stores, and the client with its guard."""
