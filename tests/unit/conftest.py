"""What holds for every unit test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says more about who else uses the machine than about the code.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def away_from_the_checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run in an empty folder, since trial's ``mktemp`` leaves its files in the current one.

    A Python that a test starts finds the checkout all the same.
    """
    with chdir(tmp_path_factory.mktemp("here")), patch.dict(os.environ, PYTHONPATH=str(ROOT)):
        yield
