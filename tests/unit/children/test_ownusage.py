from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from procwrap.children.ownusage import own_usage, spent

BURN = "import time\nwhile time.process_time() < 0.3: pass"
NAMED = "open('/proc/self/comm', 'w').write(') R 1 1 (')\n"


def test_we_measure_ourselves() -> None:
    """Memory, threads and descriptors are what /proc says."""
    usage = own_usage()
    assert 5 * 1024 * 1024 < usage.memory < 4 * 1024**3
    assert usage.threads >= 1
    with open("/dev/null") as _:
        assert own_usage().open_files == (usage.open_files or 0) + 1


def test_our_cpu_time_grows() -> None:
    """It is ours alone, not that of those we have waited for."""
    before = own_usage().cpu
    subprocess.run([sys.executable, "-c", BURN], check=True)
    assert own_usage().cpu - before < 0.2
    end = time.process_time() + 0.2
    while time.process_time() < end:
        pass
    # User and system time are each cut to whole ticks, before and after: two ticks may be missing.
    assert own_usage().cpu - before > 0.17


@pytest.mark.parametrize("before", ["", NAMED])
def test_a_zombie_tells_what_it_has_spent(before: str) -> None:
    """Its CPU time is there until it is waited for, whatever it is called."""
    process = subprocess.Popen([sys.executable, "-c", before + BURN])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    found = spent(process.pid)
    process.wait()
    assert found is not None
    assert 0.28 <= found < 2.0
    assert spent(process.pid) is None
