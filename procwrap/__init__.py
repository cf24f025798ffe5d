"""procwrap hosts several processes in one container: starts, logs, probes, restarts and stops them."""

__version__ = "0.1.0"
