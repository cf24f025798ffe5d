"""Where things go: standard output, files, the readiness file, our own messages."""
