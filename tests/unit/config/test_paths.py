from __future__ import annotations

from procwrap.config import paths


def test_keys_and_items() -> None:
    """A path reads like the way one would write it in most languages."""
    assert paths.under(paths.item(paths.under("", "processes"), 0), "env-file") == "processes[0].env-file"


def test_odd_keys_are_quoted() -> None:
    """A key with dots or blanks cannot be taken for two."""
    assert paths.under("labels", "a.b c") == 'labels["a.b c"]'
    assert paths.under("", "") == '[""]'


def test_a_whole_assignment_shows_only_its_name() -> None:
    """``NAME=value`` in the place of a key is likely a secret."""
    assert paths.under("envs", "TOKEN=hunter2") == 'envs["TOKEN="]'


def test_long_keys_are_cut() -> None:
    """A key of megabytes does not fill the screen."""
    assert len(paths.under("envs", "x" * 1_000_000)) < 80
