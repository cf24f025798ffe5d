"""Keeps the files around the package true to it and to each other."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import procwrap
from tests.support.checkout import ROOT, project_files

TOP_LEVEL = {
    "twisted", "procwrap", "tests", "docs", "deploy",
    "setup.py", "tox.ini", "README.md", "LICENSE", "CHANGELOG.md", "MANIFEST.in",
}  # fmt: skip
# What is imported under another name than it is installed by; OpenSSL is part of twisted[tls].
INSTALLED_AS = {
    "yaml": "pyyaml",
    "zope": "zope.interface",
    "OpenSSL": "twisted",
    "psycopg2": "psycopg2-binary",
    "pyroscope": "pyroscope-io",
}


def read(name: str) -> str:
    """Read a file of the checkout."""
    return (ROOT / name).read_text(encoding="utf-8")


def assigned(source: str, name: str) -> Any:
    """Read a literal out of a source without running it."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
    raise AssertionError(f"no {name} in this source")


def required() -> dict[str, str]:
    """What setup.py asks for, extras included: name to lowest version."""
    source = read("setup.py")
    extras = assigned(source, "EXTRAS").values()
    lines = [*assigned(source, "REQUIRES"), *(line for extra in extras for line in extra)]
    split = [re.fullmatch(r"([\w.-]+)(?:\[\w+\])?>=([\d.]+)", line) for line in lines]
    assert all(split), "REQUIRES and EXTRAS: write each as NAME>=VERSION"
    return {found[1]: found[2] for found in split if found}


def imported() -> set[str]:
    """The packages that the code imports, by the names they are installed by."""
    found = set()
    for path in (ROOT / "procwrap").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found.add((node.module or "").split(".")[0])
    outside = found - set(sys.stdlib_module_names) - {"procwrap"}
    return {INSTALLED_AS.get(name, name) for name in outside}


def code_blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a Markdown page that are in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", read(page), re.MULTILINE | re.DOTALL)


def documents(page: str) -> list[Any]:
    """The YAML documents of one file."""
    return list(yaml.safe_load_all(read(page)))


def check(config: Path) -> subprocess.CompletedProcess[str]:
    """Run ``procwrap check`` on a config."""
    command = [sys.executable, "-m", "procwrap", "check", str(config)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_dependencies_are_imported_and_reasoned() -> None:
    """What is installed with procwrap is used by it, and a page says why; nothing else is imported."""
    page = re.findall(r"^\| `([\w.-]+)` \|", read("docs/explanation/dependencies.md"), re.MULTILINE)
    assert set(required()) == imported()
    assert set(page) == imported()


def test_lowest_versions_are_the_tested_ones() -> None:
    """The lower bounds of setup.py are what ``tox -e lowest`` installs."""
    section = read("tox.ini").partition("[testenv:lowest]")[2].partition("\n[")[0]
    assert dict(re.findall(r"^    ([\w.-]+)(?:\[\w+\])?==([\d.]+)$", section, re.MULTILINE)) == required()


def test_the_changelog_speaks_of_this_version() -> None:
    """A released version has its heading; until then the changes stand under Unreleased."""
    headings = re.findall(r"^## \[(.+?)\]", read("CHANGELOG.md"), re.MULTILINE)
    assert headings
    assert headings[0] == "Unreleased" or headings[0] == procwrap.__version__
    kinds = set(re.findall(r"^### (\w+)$", read("CHANGELOG.md"), re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_readme_begins_with_two_commands_of_one_line() -> None:
    """A reader of the README pastes one line to run procwrap and one to test it."""
    first, second = code_blocks("README.md", "sh")[:2]
    assert first.count("\n") == second.count("\n") == 1
    assert "docs/examples/quickstart.yaml" in first
    assert second.strip() in read(".ci/run"), "CI runs something else than what the README promises"


def test_tutorial_and_readme_show_the_same_command() -> None:
    """The tutorial's first command is the README's."""
    assert code_blocks("docs/tutorial/first-steps.md", "sh")[0] == code_blocks("README.md", "sh")[0]


@pytest.mark.parametrize(
    "page", ["README.md", *sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("docs/**/*.md"))]
)
def test_links_lead_somewhere(page: str) -> None:
    """A link or picture of a page to a file of the project finds it."""
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", read(page))
    missing = [target for target in targets if not (ROOT / page).parent.joinpath(target).exists()]
    assert not missing, f"{page}: {missing}"


@pytest.mark.parametrize(
    "page", ["README.md", *sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("docs/**/*.md"))]
)
def test_shown_configs_are_accepted(page: str, tmp_path: Path) -> None:
    """Every whole config that a page shows is one that procwrap takes."""
    shown = [block for block in code_blocks(page, "yaml") if re.match(r"(processes:|- name:)", block)]
    for number, block in enumerate(shown):
        config = tmp_path / f"{number}.yaml"
        config.write_text(block, encoding="utf-8")
        done = check(config)
        assert done.returncode == 0, f"{page}, config {number}: {done.stdout}{done.stderr}\n{block}"


@pytest.mark.parametrize("config", ["docs/examples/quickstart.yaml", "deploy/docker/app.yaml"])
def test_example_configs_are_accepted(config: str) -> None:
    """``procwrap check`` has nothing to say against the configs that we hand out."""
    done = check(ROOT / config)
    assert done.returncode == 0, done.stdout + done.stderr


def test_pod_manifest_holds_a_config_that_is_accepted(tmp_path: Path) -> None:
    """The Pod mounts the ConfigMap beside it at the path that its arguments name, and procwrap takes it."""
    config_map, pod = documents("deploy/kubernetes/pod.yaml")
    assert (config_map["kind"], pod["kind"]) == ("ConfigMap", "Pod")
    (container,) = pod["spec"]["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    assert volumes["config"]["configMap"]["name"] == config_map["metadata"]["name"]
    assert container["args"] == ["--config", f"{mounts['config']}/app.yaml"]
    config = tmp_path / "app.yaml"
    config.write_text(config_map["data"]["app.yaml"], encoding="utf-8")
    done = check(config)
    assert done.returncode == 0, done.stdout + done.stderr


def test_pod_manifest_leaves_time_to_stop() -> None:
    """The kubelet's grace is longer than procwrap's way down, and its probes ask a port that is declared."""
    config_map, pod = documents("deploy/kubernetes/pod.yaml")
    config = yaml.safe_load(config_map["data"]["app.yaml"])
    deadline = int(config["shutdown"]["deadline"].removesuffix("s"))
    assert pod["spec"]["terminationGracePeriodSeconds"] > deadline * len(config["processes"])
    (container,) = pod["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for probe in ("readinessProbe", "livenessProbe"):
        assert ports[container[probe]["httpGet"]["port"]] == 8111


def test_dockerfile_copies_what_exists() -> None:
    """Every file that the Dockerfile copies from the checkout is there, and no shell stands before PID 1."""
    lines = read("deploy/docker/Dockerfile").splitlines()
    copied = [line.split()[1] for line in lines if line.startswith("COPY ") and "--from=" not in line]
    assert copied
    assert all((ROOT / name).exists() for name in copied)
    assert [line for line in lines if line.startswith("ENTRYPOINT")] == ['ENTRYPOINT ["procwrap"]']


def test_nothing_new_stands_at_the_top() -> None:
    """The owner fixed the top level of the checkout; beside it there are only dotfiles."""
    found = {path.relative_to(ROOT).parts[0] for path in project_files()}
    assert {name for name in found if not name.startswith(".")} == TOP_LEVEL


def test_no_file_is_left_unfinished() -> None:
    """Neither merge markers nor notes to self reach a user."""
    marks = re.compile(r"^(<{7} |>{7} )|\b(TO" r"DO|FIX" r"ME|XX" r"X)\b", re.MULTILINE)
    found = []
    for path in project_files():
        if path.suffix in {".py", ".md", ".yaml", ".ini", ".c", ".h", ""} and path.name != "LICENSE":
            text = path.read_text(encoding="utf-8")
            found += [f"{path.relative_to(ROOT)}: {hit[0]}" for hit in marks.finditer(text)]
    assert not found, found
