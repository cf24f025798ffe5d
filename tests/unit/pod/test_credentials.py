from __future__ import annotations

from pathlib import Path

import pytest

from procwrap.pod.credentials import ServiceAccount
from procwrap.pod.problem import ApiError


def test_the_token_is_read_each_time(tmp_path: Path) -> None:
    """What the kubelet replaces is used at once, without the newline at its end."""
    account = ServiceAccount(str(tmp_path))
    (tmp_path / "token").write_text("one\n")
    first = account.token()
    (tmp_path / "token").write_text("two")
    assert (first, account.token()) == ("one", "two")


def test_namespace_and_authorities(tmp_path: Path) -> None:
    """The other two files."""
    (tmp_path / "namespace").write_text("shop\n")
    (tmp_path / "ca.crt").write_bytes(b"PEM")
    account = ServiceAccount(str(tmp_path))
    assert (account.namespace(), account.authorities()) == ("shop", b"PEM")


def test_no_service_account(tmp_path: Path) -> None:
    """A Pod without it: the message names the file and the likely reason, and waiting will not help."""
    with pytest.raises(ApiError, match="automountServiceAccountToken") as raised:
        ServiceAccount(str(tmp_path)).token()
    assert str(tmp_path / "token") in str(raised.value)
    assert raised.value.refused


@pytest.mark.parametrize("content", ["", "a b", "a\r\nX-Evil: 1", "\x00", "sch\u00f6n"])
def test_what_is_no_token(tmp_path: Path, content: str) -> None:
    """Nothing gets into a header that does not belong there, and nothing of it into the message."""
    (tmp_path / "token").write_text(content)
    with pytest.raises(ApiError) as raised:
        ServiceAccount(str(tmp_path)).token()
    assert str(raised.value) == f"{tmp_path / 'token'} holds no token"


@pytest.mark.parametrize("content", ["", "a/b", "Shop", "a" * 64])
def test_what_is_no_namespace(tmp_path: Path, content: str) -> None:
    """Nothing gets into a URL that does not belong there."""
    (tmp_path / "namespace").write_text(content)
    with pytest.raises(ApiError, match="holds no namespace"):
        ServiceAccount(str(tmp_path)).namespace()


def test_the_token_is_in_no_repr(tmp_path: Path) -> None:
    """It is never kept, so nothing can show it."""
    (tmp_path / "token").write_text("secret")
    account = ServiceAccount(str(tmp_path))
    account.token()
    assert "secret" not in repr(account)
