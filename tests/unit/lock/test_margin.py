from __future__ import annotations

import pytest

from procwrap.lock.margin import DRIFT, REACTION, until


@pytest.mark.parametrize("ttl", [1.0, 2.0, 10.0, 3600.0])
def test_the_process_is_dead_before_the_lock_is_free(ttl: float) -> None:
    """Also when the server's clock goes faster than ours by the drift that is allowed for."""
    deadline = until(100.0, ttl)
    assert deadline + REACTION <= 100.0 + ttl / (1 + DRIFT) + 1e-9
    assert deadline > 100.0 + 0.8 * ttl
