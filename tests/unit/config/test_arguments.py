from __future__ import annotations

import pytest

from procwrap.config.arguments import Arguments, help_text, parse
from procwrap.config.options import OPTIONS
from procwrap.errors import ExitStatus, UsageError
from procwrap.spec.plan import Given


@pytest.mark.parametrize(
    ("line", "given"),
    [
        ("", Given()),
        ("--config x.yaml", Given(config="x.yaml")),
        ("-config x.yaml", Given(config="x.yaml")),
        ("--config=x.yaml", Given(config="x.yaml")),
        ("-config=x=y.yaml", Given(config="x=y.yaml")),
        ("--config -", Given(config="-")),
        ("--debug", Given(debug=True)),
        ("-debug", Given(debug=True)),
        ("-debug=true", Given(debug=True)),
        ("--debug=false", Given(debug=False)),
        ("--graceful-shutdown-deadline 1m30s", Given(graceful_shutdown_deadline=90.0)),
        ("-graceful-shutdown-deadline=0", Given(graceful_shutdown_deadline=0.0)),
        ("--readiness-file /x", Given(readiness_file="/x")),
        ("--skip-commands a,b", Given(skip_commands=("a", "b"))),
        ("--skip-commands=,a,,b,", Given(skip_commands=("a", "b"))),
        ("--skip-commands=", Given(skip_commands=())),
        ("--version", Given(version=True)),
        ("--http off", Given(http=False)),
        ("-http=on", Given(http=True)),
        ("--wait --wait-deadline 5s", Given(wait=True, wait_deadline=5.0)),
        ("--no-reap-group", Given(reap_group=False)),
        ("--no-reap-group=false", Given(reap_group=True)),
        ("--config a --config b", Given(config="b")),
        ("-- sleep 10", Given(command=("sleep", "10"))),
        ("--debug -- sh -c --help -- x", Given(debug=True, command=("sh", "-c", "--help", "--", "x"))),
    ],
)
def test_options(line: str, given: Given) -> None:
    """Both spellings of Go and GNU are understood; what follows -- is the command."""
    assert parse(line.split()) == Arguments(given)


@pytest.mark.parametrize("line", ["-h", "--help", "-help", "--debug --help --nonsense"])
def test_help(line: str) -> None:
    """Whoever asks for help gets it, whatever else the line holds."""
    assert parse(line.split()).help


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--confg", "x"], 'unknown option "--confg": did you mean --config?'),
        (["-confg=hunter2"], 'unknown option "-confg": did you mean --config?'),
        (["-q", "http://x"], 'unknown option "-q": see procwrap --help'),
        (["--ghttp://x"], 'unknown option "--ghttp://x": did you mean --http?'),
        (["--xyzzy"], 'unknown option "--xyzzy": see procwrap --help'),
        (["--config"], "--config needs a value: --config FILE"),
        (["--config", "--", "x"], "--config needs a value: --config FILE"),
        (["--config="], "--config: expected a value, got an empty one"),
        (
            ["--wait-deadline", "10"],
            "--wait-deadline: expected a duration such as 10s or 1m30s, got 10: a bare number has no unit",
        ),
        (
            ["-graceful-shutdown-deadline=soon"],
            '--graceful-shutdown-deadline: expected a duration such as 10s or 1m30s, got "soon"',
        ),
        (["--http", "maybe"], '--http: expected on or off (or true, false, 1, 0, yes, no), got "maybe"'),
        (["--debug=maybe"], '--debug: expected on or off (or true, false, 1, 0, yes, no), got "maybe"'),
        (["--debug", "false"], 'unexpected argument "false": a command to wrap stands after --'),
        (["-"], 'unexpected argument "-": a command to wrap stands after --'),
        ([""], 'unexpected argument "": a command to wrap stands after --'),
        (["--"], "nothing follows --: expected the command to wrap, such as procwrap -- sleep 10"),
        (["--", ""], "nothing follows --: expected the command to wrap, such as procwrap -- sleep 10"),
        (
            ["--config", "x", "--", "y"],
            "--config and a command after -- exclude each other: the command needs no config",
        ),
    ],
)
def test_errors(argv: list[str], message: str) -> None:
    """Every mistake is one line that names the option, and ends with exit code 2."""
    with pytest.raises(UsageError) as caught:
        parse(argv)
    assert str(caught.value) == message
    assert caught.value.exit_status == ExitStatus.USAGE


def test_help_shows_every_option() -> None:
    """--help is made from the same table as the parser."""
    text = help_text()
    assert all(f"--{option.name} " in text for option in OPTIONS)
    assert "(default 2m0s)" in text
    assert max(len(line) for line in text.splitlines()) <= 115
