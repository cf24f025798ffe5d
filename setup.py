import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent


def version() -> str:
    """Read the version without importing the package, whose dependencies are not installed yet."""
    text = (HERE / "procwrap" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise SystemExit('setup.py: cannot find the line __version__ = "…" in procwrap/__init__.py')
    return found.group(1)


# docs/explanation/dependencies.md gives the reason for each; tests/test_project.py holds this list,
# that page and the imports of the code together.
REQUIRES = [
    "attrs>=24.2.0",
    "klein>=24.8.0",
    "pika>=1.3.2",
    "psutil>=5.9.8",
    "psycopg2-binary>=2.9.9",
    "pyyaml>=6.0.2",
    "treq>=24.9.1",
    "twisted[tls]>=26.4.0",
    "txpostgres>=1.7.0",
    "zope.interface>=8.0",
]

# What few need: pip install 'procwrap[mysql,grpc,pyroscope]'.
EXTRAS = {
    "grpc": ["h2>=4.1.0"],
    "mysql": ["pymysql>=1.2.0"],
    "pyroscope": ["pyroscope-io>=1.2.0"],
}

setup(
    name="procwrap",
    version=version(),
    description="Hosts several processes in one container: starts, logs, probes, restarts and stops them.",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license_expression="Apache-2.0",
    license_files=["LICENSE"],
    author="The procwrap authors",
    keywords=["supervisor", "container", "entrypoint", "init", "logfmt", "health", "twisted"],
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Environment :: No Input/Output (Daemon)",
        "Framework :: Twisted",
        "Intended Audience :: System Administrators",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: System :: Boot :: Init",
        "Typing :: Typed",
    ],
    python_requires=">=3.11",
    install_requires=REQUIRES,
    extras_require=EXTRAS,
    # twisted.plugins is a folder without __init__.py: the plugin lands beside Twisted's own.
    packages=[*find_packages(include=["procwrap*"]), "twisted.plugins"],
    package_data={"procwrap": ["py.typed"], "procwrap.web": ["page/*"]},
    entry_points={"console_scripts": ["procwrap=procwrap.cli:entry"]},
    zip_safe=False,
)
