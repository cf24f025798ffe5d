"""``procwrap completion bash|zsh``: scripts made from the tables of subcommands and options.

They ask ``procwrap __names`` for the names of processes, of the host that the command line names.
"""

from __future__ import annotations

from collections.abc import Iterable

from procwrap.client.commands import COMMANDS, SHELLS
from procwrap.client.screen import Screen
from procwrap.client.words import Asked, Option
from procwrap.core.printable import quoted
from procwrap.errors import ExitStatus, UsageError

_OFFLINE = {
    "check": ("Check a config", "--secrets-dir", True),
    "convert": ("Print a config in the native format", "--secrets-dir", True),
    "schema": ("Print the JSON Schema of the native format", "", False),
}
"""Subcommands that talk to nobody: what they do, their options, and whether they take a file."""


def run(asked: Asked, screen: Screen) -> int:
    """Print the script of a shell."""
    (shell,) = asked.words
    if shell not in SHELLS:
        raise UsageError(f"procwrap completion: expected bash or zsh, got {quoted(shell)}")
    screen.line(script(shell))
    return ExitStatus.DONE


def script(shell: str) -> str:
    """Return the script of a shell.

    Args:
        shell: ``bash`` or ``zsh``.
    """
    template, offer = {"bash": (_BASH, "words='{}'"), "zsh": (_ZSH, "words=({})")}[shell]
    return (
        template.replace("@COMMANDS@", " ".join(_commands()))
        .replace("@MAIN@", " ".join(_main_options()))
        .replace("@VALUES@", "\n".join(_values(offer)))
        .replace("@OPTIONS@", "\n".join(_options(offer)))
    )


def _commands() -> list[str]:
    return [*_OFFLINE, *(name for name in COMMANDS if not name.startswith("_"))]


def _main_options() -> list[str]:
    from procwrap.config.options import OPTIONS

    return [f"--{option.name}" for option in OPTIONS] + ["--help"]


def _values(offer: str) -> Iterable[str]:
    """Yield the branches for what follows an option with a value: ``COMMAND:OPTION``."""
    known = {option.name: option for command in COMMANDS.values() for option in command.options}
    for option in known.values():
        names = f"*:{option.name}" + (f"|*:{option.short}" if option.short else "")
        if option.choices:
            yield f"        {names}) {offer.format(' '.join(option.choices))} ;;"
        elif option.metavar:
            yield f"        {names}) kind={'files' if option.metavar in ('FILE', 'PATH') else 'nothing'} ;;"
    from procwrap.config.options import OPTIONS

    files = [f"*:{option.name}" for option in OPTIONS if option.metavar in ("FILE", "DIR")]
    yield f"        {'|'.join(files)}) kind=files ;;"
    yield f"        {'|'.join(f'-:{option.name}' for option in OPTIONS if option.metavar)}) kind=nothing ;;"


def _options(offer: str) -> Iterable[str]:
    """Yield the branch of each subcommand: its options, and what its words are."""
    for name, (_, options, takes_file) in _OFFLINE.items():
        kind = "files" if takes_file else "nothing"
        yield f"        {name}) {offer.format(f'{options} --help'.strip())} kind={kind} ;;"
    for command in COMMANDS.values():
        words = " ".join(_written(command.options))
        yield f"        {command.name}) {offer.format(words)} kind={command.takes} ;;"


def _written(options: Iterable[Option]) -> list[str]:
    return [f"--{option.name}" for option in options] + ["--help"]


_BASH = r"""# bash completion of procwrap: eval "$(procwrap completion bash)"
_procwrap() {
    local typed=${COMP_LINE:0:COMP_POINT} cur=${COMP_WORDS[COMP_CWORD]} words= kind=options
    local -a line reach=()
    read -ra line <<<"$typed"
    [[ $typed == *[[:space:]] ]] && line+=("")
    local count=${#line[@]} at previous= command=-
    COMPREPLY=()
    ((count > 1)) || return 0
    ((count > 2)) && [[ ${line[1]} != -* ]] && command=${line[1]}
    # Bash breaks words at = and :, but --for=ready is one word of ours.
    if [[ ${line[count-1]} == -*=* ]]; then
        previous=${line[count-1]%%=*} cur=${line[count-1]#*=}
    elif [[ ${line[count-2]} == -* && ${line[count-2]} != *=* ]]; then
        previous=${line[count-2]}
    fi
    previous=${previous#-} previous=${previous#-}
    case "$command:$previous" in
@VALUES@
    esac
    if [[ $kind == options && -z $words ]]; then
        if ((count == 2)); then
            kind=nothing words='@COMMANDS@ @MAIN@'
            [[ $cur == -* ]] || words='@COMMANDS@'
        else
            case "$command" in
            -) kind=nothing words='@MAIN@' ;;
@OPTIONS@
            esac
            [[ $cur == -* ]] && kind=nothing || words=
        fi
    fi
    case "$kind" in
    names | signals)
        for ((at = 2; at < count - 1; at++)); do
            case "${line[at]}" in
            --socket=* | --url=* | --token-file=* | --cacert=* | --insecure) reach+=("${line[at]}") ;;
            --socket | --url | --token-file | --cacert) reach+=("${line[at]}=${line[at+1]}") ;;
            esac
        done
        if [[ $command == signal && $count -eq 3 ]]; then
            words=$(compgen -A signal SIG)
            [[ $cur == SI* ]] || words=${words//SIG/}
        fi
        [[ $words ]] || words=$("${line[0]}" __names "${reach[@]}" 2>/dev/null)
        ;;
    shells) words='bash zsh' ;;
    files) compopt -o default 2>/dev/null ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _procwrap procwrap"""

_ZSH = r"""#compdef procwrap
# zsh completion of procwrap: eval "$(procwrap completion zsh)" after compinit
_procwrap() {
    local cur=$words[CURRENT] kind=options command=- previous= at
    local -a line=("${(@)words[1,CURRENT]}") words=() reach=()
    local count=$#line
    ((count > 2)) && [[ $line[2] != -* ]] && command=$line[2]
    if [[ $cur == -*=* ]]; then
        previous=${cur%%=*}
        compset -P '*='
        cur=${cur#*=}
    elif ((count > 2)) && [[ $line[count-1] == -* && $line[count-1] != *=* ]]; then
        previous=$line[count-1]
    fi
    previous=${previous#-} previous=${previous#-}
    case "$command:$previous" in
@VALUES@
    esac
    if [[ $kind == options ]] && ((! $#words)); then
        if ((count == 2)); then
            kind=nothing words=(@COMMANDS@)
            [[ $cur == -* ]] && words=(@MAIN@)
        else
            case "$command" in
            -) kind=nothing words=(@MAIN@) ;;
@OPTIONS@
            esac
            if [[ $cur == -* ]]; then kind=nothing; else words=(); fi
        fi
    fi
    case "$kind" in
    names)
        for ((at = 3; at < count; at++)); do
            case "$line[at]" in
            --socket=*|--url=*|--token-file=*|--cacert=*|--insecure) reach+=("$line[at]") ;;
            --socket|--url|--token-file|--cacert) reach+=("$line[at]=$line[at+1]") ;;
            esac
        done
        if [[ $command == signal ]] && ((count == 3)); then
            words=($signals[2,-3])
        else
            words=(${(f)"$($line[1] __names $reach 2>/dev/null)"})
        fi
        ;;
    shells) words=(bash zsh) ;;
    files) _files; return ;;
    esac
    ((! $#words)) || compadd -- $words
}
if [[ $funcstack[1] == _procwrap ]]; then _procwrap "$@"; else compdef _procwrap procwrap; fi"""
