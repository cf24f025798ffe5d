from __future__ import annotations

import json
import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from procwrap.config import jsontext, yamltext
from procwrap.config.fields import Place
from procwrap.config.plain import plain
from procwrap.config.problem import Problem
from procwrap.config.tree import Tree


def read(text: str) -> tuple[object, list[Problem]]:
    """The value of a YAML text, and what is wrong with it."""
    problems: list[Problem] = []
    return plain(Place(yamltext.read(text, Tree("x")), "top", problems)), problems


@pytest.mark.parametrize(
    "text",
    [
        *("{a: 1, b: [x, ~, null, true, no, On], c: {d: ''}}", "[1, -2, +3, 1_000, 0, 0x1F, -0x_f, 0b101]"),
        *(
            "[1.5, -0.5, 1., .5, 1.5e+3, 1_0.5, .inf, -.INF, +.Inf]",
            "['1', \"no\", 12:30:00, 2026-11-21, 1.2.3]",
        ),
        *("{<<: {a: 1}, b: 2}", "[&x [1], *x]", "{}", "[]", "{8080: 1}"),
    ],
)
def test_means_what_yaml_says(text: str) -> None:
    """Values are what PyYAML would have made of them; times and dates stay text, keys always are."""
    made, problems = read(text)
    loader = type("Loader", (yaml.SafeLoader,), {})
    loader.yaml_implicit_resolvers = {
        start: [(tag, pattern) for tag, pattern in resolvers if "timestamp" not in tag]
        for start, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    expected = yaml.load(text.replace("8080:", "'8080':").replace("12:30:00", "'12:30:00'"), loader)
    assert (made, problems) == (expected, [])
    assert json.dumps(made) == json.dumps(expected), "1 is no True and 1.0 no 1"


@pytest.mark.parametrize(
    ("text", "value"),
    [("[0o17]", 15), ("[1e3]", 1000.0), ("[-1E-2]", -0.01), ("[08.5]", 8.5), ("[1e999]", math.inf)],
)
def test_means_what_yaml_1_2_says(text: str, value: float) -> None:
    """Numbers that only YAML 1.2 and JSON know are numbers too."""
    assert read(text) == ([value], [])


def test_nan() -> None:
    """There is a number that is none."""
    [[found], _] = read("[.nan]")
    assert math.isnan(found)


@pytest.mark.parametrize("number", ["010", "-08", "0_7", "00", "0x_", "0b_", "9" * 5000])
def test_ambiguous_numbers(number: str) -> None:
    """A number that one reader takes for another one than the next has to be made clear."""
    made, [problem] = read(f"{{a: [1, {number}]}}")
    assert made == {"a": [1, None]}
    assert problem.path == "top.a[1]"
    assert problem.message.endswith("quote it if it is text")
    assert problem.mark is not None
    assert (problem.mark.line, problem.mark.column) == (1, 9)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), VALUES, min_size=1))
def test_json_comes_back(value: dict[str, object]) -> None:
    """Whatever JSON can say arrives as json.loads would have read it."""
    text = json.dumps(value)
    made = plain(Place(jsontext.read(text, Tree("x")), "top", []))
    assert json.dumps(made) == json.dumps(json.loads(text))
