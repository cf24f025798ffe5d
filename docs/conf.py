"""How Sphinx builds the documentation: MyST Markdown, the furo theme, warnings as errors (see tox.ini)."""

import re
from pathlib import Path

HERE = Path(__file__).parent

project = "procwrap"
author = "The procwrap authors"
copyright = "The procwrap authors, Apache-2.0"  # noqa: A001 - Sphinx gives the name
release = re.findall(r'__version__ = "(.+)"', (HERE.parent / "procwrap" / "__init__.py").read_text("utf-8"))[
    0
]

extensions = ["myst_parser"]
exclude_patterns = ["_build", "examples"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"procwrap {release}"
html_static_path = ["_static"]
