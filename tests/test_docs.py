"""What the docs of config and API say is there, and what is there is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from minertui.api.endpoints import ENDPOINTS
from minertui.cli.main import parser
from minertui.config import Config, decode

DOCS = Path(__file__).resolve().parents[1] / "docs"
TEXTS = (*(DOCS.parent / "minertui").rglob("*.py"), *DOCS.glob("*.md"), DOCS.parent / "README.md")


def test_the_api_page_names_every_address_and_no_other() -> None:
    page = (DOCS / "api.md").read_text()
    told = set(re.findall(r"^\| `(GET|POST|PUT|DELETE) ([^`?]+)[`?]", page, re.MULTILINE))
    there = {(e.method, e.path) for e in ENDPOINTS} | {("GET", "/v1/events"), ("GET", "/v1/openapi.json")}
    assert told == there


@pytest.mark.parametrize("page", ["api.md", "configuration.md"])
def test_every_config_shown_decodes(page: str) -> None:
    shown = re.findall(r"```toml\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    assert shown
    for text in shown:
        decode(text.encode(), Path(page))


def test_a_setting_is_told_with_its_frequency_first() -> None:
    """“525 MHz / 1150 mV” on the screen, in the log, on the command line and in the docs; never the other way round."""
    turned = re.compile(r"mV(?: / | and |, | \| )[^ ]*[\d}] ?MHz|mV / MHz")
    found = [f"{path.name}: {match[0]}" for path in TEXTS for match in turned.finditer(path.read_text())]
    assert found == []


def test_every_shipped_theme_is_named_where_people_choose_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit):
        parser().parse_args(["attach", "--help"])
    said = (" ".join(capsys.readouterr().out.split()), (DOCS.parent / "config.example.toml").read_text())
    for theme in (DOCS.parent / "themes").glob("*.toml"):
        assert all(f" {theme.stem}, " in text for text in said), theme.stem
        assert f"`{theme.stem}`" in (DOCS / "configuration.md").read_text()


def test_the_configuration_page_names_every_table() -> None:
    page = (DOCS / "configuration.md").read_text()
    for name in Config.__struct_fields__:
        assert f"`[{name}]`" in page or f"`[[{name}]]`" in page, name
