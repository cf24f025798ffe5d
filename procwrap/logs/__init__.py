"""Bytes to bytes: what a child wrote becomes records, purely."""
