from __future__ import annotations

import time

import pytest

from procwrap.core.commandline import LONGEST, shown_command
from procwrap.spec.process import ProcessSpec


def shown(*args: str, **envs: str) -> str:
    return shown_command(ProcessSpec("api", "serve", args, envs=tuple(envs.items())))


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (("--port=80", "-v", "name"), "serve --port=80 -v name"),
        (("--password=hunter2",), "serve --password=***"),
        (("--db-password", "hunter2", "--port", "80"), "serve --db-password *** --port 80"),
        (("-token", "-hunter2"), "serve -token ***"),
        (("--api-key=", "x"), "serve --api-key=*** x"),
        (("--url=postgres://me:hunter2@db/x?y=1",), "serve --url=postgres://***@db/x?y=1"),
        (("-c", "PGPASSWORD=hunter2 psql; x"), "serve -c PGPASSWORD=*** psql; x"),
        (("-c", "PGPASSWORD='hunter 2' psql"), "serve -c PGPASSWORD=*** psql"),
        (("-c", 'PGPASSWORD="hunter2'), "serve -c PGPASSWORD=***"),
        (("-c", "redis-cli --pass hunter2 get x"), "serve -c redis-cli --pass *** get x"),
        (("-c", "curl --secret 'hunter 2' x"), "serve -c curl --secret *** x"),
        (("-d", '{"password": "hunter2", "port": 80}'), 'serve -d {"password": ***, "port": 80}'),
        (("-H", "Authorization: hunter2"), "serve -H Authorization: ***"),
        (("-H", "Authorization: Bearer hunter2"), "serve -H Authorization: ***"),
        (("-c", "curl -H 'Authorization: Basic hunter2' x"), "serve -c curl -H 'Authorization: *** x"),
        (("host=db;Password=hunter2;port=1",), "serve host=db;Password=***;port=1"),
        (("me:hunter2@tcp(db:3306)/app",), "serve ***@tcp(db:3306)/app"),
        (("-c", "exec run me:hunter2@db:5432/app"), "serve -c exec run ***@db:5432/app"),
        (("-d", r'{"password": "hun\"ter2", "port": 80}'), 'serve -d {"password": ***, "port": 80}'),
        (("-c", r"echo {\"password\": \"hunter2\"}"), r"serve -c echo {\"password\": ***"),
        (("Server=db;Password='hun;ter2'",), "serve Server=db;Password=***"),
        (("-u", "me:hunter2", "x"), "serve -u me:*** x"),
        (("-c", "curl --proxy-user me:hunter2 x"), "serve -c curl --proxy-user me:*** x"),
        (("-u", "1000:1000", "--user", "me", "10:20"), "serve -u 1000:1000 --user me 10:20"),
        (("Authorization:", "Bearer hunter2"), "serve Authorization: Bearer ***"),
        (("-H", "Cookie: hunter2"), "serve -H Cookie: ***"),
        (("rsync://x", "me@db.example:22", "12:30"), "serve rsync://x me@db.example:22 12:30"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(args: tuple[str, ...], expected: str) -> None:
    """Flags, assignments and URLs, each as a word of its own or inside a script."""
    assert shown(*args) == expected


def test_secret_variables_are_hidden_wherever_they_stand() -> None:
    """The values of variables with secret names, and passwords in the URLs of others."""
    envs = {
        "API_TOKEN": "abcdef",
        "PIN_SECRET": "12",
        "DATABASE": "postgres://me:sesame@db/x",
        "PORT": "8080",
    }
    line = shown("-x", "abcdef/8080", "12", "1234", "open sesame", "postgres://me:sesame@db/x", **envs)
    assert line == "serve -x ***/8080 *** 1234 open *** ***"


def test_it_is_one_short_line() -> None:
    """Scripts are often pages long, and a label is sent with every sample."""
    line = shown("-c", "one\n  two\r\n" + "x" * 10_000)
    assert line.startswith("serve -c one two xxx")
    assert len(line) == LONGEST
    assert line.endswith("x…")


def test_nothing_is_cut_before_it_is_hidden() -> None:
    """A secret that reaches over the end is not shown in part."""
    line = shown("x" * (LONGEST - 12), "hunter2hunter2", PASSWORD="hunter2hunter2")
    assert line == f"serve {'x' * (LONGEST - 12)} ***"


@pytest.mark.parametrize(
    "piece",
    ["a", "=", '"', "key", "key=", "--key ", "://", "a'", "- ", "a=b;", "a:", "a:b@", 'a:b;"', 'a="\\" '],
)
def test_huge_scripts_cost_nothing(piece: str) -> None:
    """Whatever stands in a script of a mebibyte, reading it takes time in proportion."""
    began = time.process_time()
    shown("-c", piece * (1024 * 1024 // len(piece)))
    assert time.process_time() - began < 3.0
