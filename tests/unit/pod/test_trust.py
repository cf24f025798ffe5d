from __future__ import annotations

from pathlib import Path

import pytest

from procwrap.pod.credentials import ServiceAccount
from procwrap.pod.problem import ApiError
from procwrap.pod.trust import Trust
from tests.support.certificates import Authority


def test_it_is_made_once(tmp_path: Path) -> None:
    """Making it takes long, so it is made again only when the authorities were replaced."""
    first, second = Authority(tmp_path, "one").file.read_bytes(), Authority(tmp_path, "two").file.read_bytes()
    trust = Trust(ServiceAccount(str(tmp_path)), "10.0.0.1")
    (tmp_path / "ca.crt").write_bytes(first)
    made = [trust.creator(), trust.creator()]
    (tmp_path / "ca.crt").write_bytes(first + second)
    made.append(trust.creator())
    assert made[0] is made[1]
    assert made[1] is not made[2]


@pytest.mark.parametrize(
    "content",
    [b"", b"nothing", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
)
def test_no_authorities(tmp_path: Path, content: bytes) -> None:
    """Nobody is trusted then, and it is said which file is to blame."""
    (tmp_path / "ca.crt").write_bytes(content)
    with pytest.raises(ApiError, match=r"ca\.crt") as raised:
        Trust(ServiceAccount(str(tmp_path)), "kubernetes.default").creator()
    assert raised.value.refused


def test_no_file(tmp_path: Path) -> None:
    """Nor is anybody then."""
    with pytest.raises(ApiError, match=r"ca\.crt: no such file"):
        Trust(ServiceAccount(str(tmp_path)), "kubernetes.default").creator()
