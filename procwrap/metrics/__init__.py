"""Metrics as text: expositions of several targets are read and merged. Bytes to bytes, without Twisted."""
