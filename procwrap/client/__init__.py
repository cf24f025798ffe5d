"""The subcommands that talk to a running procwrap: HTTP over its control socket, or over TCP.

Imports are few here, and those that cost are made when they are needed: ``procwrap status`` is something that
people wait for.
"""
