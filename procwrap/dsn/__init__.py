"""Texts that say where a server is and who connects: parsed, never shown."""
