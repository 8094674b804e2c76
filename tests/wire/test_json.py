"""The strict loader: one value or Garbled, whatever arrives."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minertui.model.errors import Garbled
from minertui.wire import json


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a": 1.5, "b": [true, null, "x"]}', {"a": 1.5, "b": [True, None, "x"]}),
        (b'{"a": NaN, "b": 2}', {"a": None, "b": 2}),
        (b'{"a": Infinity, "b": -Infinity, "c": 2}', {"a": None, "b": None, "c": 2}),
        (b'{"a": 1e999, "b": -1e999, "c": 2}', {"a": None, "b": None, "c": 2}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": "\xff"}', {"a": "\ufffd"}),
        (b'{"a": ' + b"9" * 5000 + b', "b": 1}', {"a": None, "b": 1}),
    ],
)
def test_one_bad_number_costs_one_field(data, value):
    assert json.load(data) == value


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"<!DOCTYPE html><title>AxeOS</title>", "a web page"),
        (b"{", "not JSON"),
        (b'{"a":1} {"b":2}', "not JSON"),
        (b"[" * 200_000, "nested without end"),
        (b"[" * 33 + b"]" * 33, "nested deeper"),
        (b"[" * 33, "nested deeper"),
        (b"[" + b"{}," * json.MAX_PARTS + b"1]", "nested without end"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "nested deeper"),
        (b'"' + b"x" * json.MAX_BYTES + b'"', "larger than 256 KiB"),
    ],
)
def test_what_is_no_answer_is_garbled(data, words):
    with pytest.raises(Garbled, match=words):
        json.load(data)


def test_brackets_in_texts_and_in_a_row_do_not_count_as_depth():
    assert json.load(b'{"a": "' + b"[" * 500 + b'"}') == {"a": "[" * 500}
    assert json.load(b"[" + b"[]," * 500 + b"[]]") == [[]] * 501
    assert json.load(b"[" * 32 + b"]" * 32)
    assert json.load(b'{"a": "' + b"]" * 500 + b'", "b": ' + b"[" * 31 + b"]" * 31 + b"}")


def test_no_answer_holds_up_the_others():
    """What is refused costs little more than reading it, in this thread's time: a busy computer is no excuse."""
    worst = (b"[" * 200_000, b'{"a":' * 40_000, b"[" + b"{}," * 80_000 + b"1]", b"[]" * 8_000 + b"[" * 8_000,
             b"[" * 40 + b'"",' * 80_000, b"[" * 8_000 + b"]" * 8_000)  # fmt: skip
    for data in worst:
        began_s = time.thread_time()
        with pytest.raises(Garbled):
            json.load(data)
        assert time.thread_time() - began_s < 0.2, data[:60]


@pytest.mark.parametrize(("data", "kind"), [(b"null", "null"), (b"[]", "a list"), (b'"x"', "a text"), (b"3", "number")])
def test_an_object_is_asked_for(data, kind):
    with pytest.raises(Garbled, match=kind):
        json.load_object(data)


@given(
    st.binary(max_size=300) | st.text(alphabet='[]{}",:\\ eE+-.0123456789NaIfinitytrulsx', max_size=200).map(str.encode)
)
def test_any_bytes_give_a_value_or_garbled(data):
    try:
        value = json.load(data)
    except Garbled:
        return
    assert all(math.isfinite(number) for number in _floats(value))


def _floats(value: object) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _floats(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _floats(item)
