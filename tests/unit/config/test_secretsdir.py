from __future__ import annotations

from pathlib import Path

import pytest

from procwrap.config.problem import WrongValueError
from procwrap.config.secretsdir import SecretsDir, surroundings
from procwrap.errors import UsageError


def mounted(home: Path) -> SecretsDir:
    """A secret as the kubelet mounts it: links into a directory that it replaces as a whole."""
    (home / "login" / "..data").mkdir(parents=True)
    for key, value in (("user", "me\n"), ("password", "sesame")):
        (home / "login" / "..data" / key).write_text(value)
        (home / "login" / key).symlink_to(Path("..data") / key)
    return SecretsDir(str(home))


def test_values_are_files(tmp_path: Path) -> None:
    """A value is the content of its file, to the last byte; what Kubernetes has there itself is left out."""
    files = mounted(tmp_path)
    assert files.one("login", "user") == "me\n"
    assert files.all("login") == {"password": "sesame", "user": "me\n"}
    assert (files.one("login", "none"), files.one("none", "user"), files.all("none")) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "key"), [("..", "x"), ("a/b", "x"), ("login", "../login/user"), (".", "x"), ("", "x")]
)
def test_nothing_outside_is_read(tmp_path: Path, name: str, key: str) -> None:
    """A name that leads elsewhere is no name."""
    with pytest.raises(WrongValueError, match="expected the name of a secret"):
        mounted(tmp_path).one(name, key)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """The file is named, its content is not."""
    files = mounted(tmp_path)
    (tmp_path / "login" / "binary").write_bytes(b"hunter2\xff")
    with pytest.raises(WrongValueError, match=r"binary: it is not UTF-8$"):
        files.all("login")
    (tmp_path / "login" / "sub").mkdir()
    with pytest.raises(WrongValueError, match="Is a directory"):
        files.one("login", "sub")


def test_the_directory_has_to_be_there(tmp_path: Path) -> None:
    """A slip in the option is told before anything else."""
    with pytest.raises(UsageError, match="--secrets-dir: /none is no directory"):
        surroundings({}, "/none")
    assert surroundings({}, str(tmp_path)).values == SecretsDir(str(tmp_path))
    assert surroundings({"A": "b"}, None).values is None
