"""Links lead somewhere, the languages keep in step, and what is generated is fresh."""

import configparser
import json
import re
from pathlib import Path

import pytest

import rpg
from tests.docs import screenshots, troubleshooting
from tests.docs.blocks import PAGES, blocks
from tests.sentences import CHECKOUT

README, CHINESE = (CHECKOUT / name for name in ("README.md", "README.zh-CN.md"))


def anchor(heading: str) -> str:
    """The name under which a heading can be linked to."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def headings(page: Path) -> list[tuple[int, str]]:
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [(len(marks), title) for marks, title in re.findall(r"^(#+) (.+)$", text, re.MULTILINE)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if target.startswith("https://"):
            continue
        path, _, name = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{page.name} links to {target}"
        assert there.is_relative_to(CHECKOUT), target
        if name:
            assert name in {anchor(title) for _, title in headings(there)}, f"{page.name} links to {target}"


def test_every_page_and_picture_is_linked() -> None:
    linked = {
        Path(target.partition("#")[0]).name
        for page in PAGES
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
    }
    files = [path.name for path in (CHECKOUT / "docs").iterdir() if path.suffix in (".md", ".png")]
    assert [name for name in files if name not in linked] == []


def shape(page: Path) -> dict[str, list[object]]:
    """What does not depend on the language."""
    lines = page.read_text("utf-8").splitlines()
    tables = re.findall(r"(?:^\|.*\|$\n?)+", "\n".join(lines), re.MULTILINE)
    return {
        "headings": [level for level, _ in headings(page)],
        "blocks": [(block.language, re.sub(r"\s*#.*", "", block.text)) for block in blocks(page)],
        "tables": [(table.count("\n"), table.split("\n")[0].count("|")) for table in tables],
        "lists": [re.match(r"(\d\.|-) ", line)[0] for line in lines if re.match(r"(\d\.|-) ", line)],  # type: ignore[index]
        "pictures": len(re.findall(r"!\[", "\n".join(lines))) * [1],
    }


def test_both_readmes_say_the_same() -> None:
    assert shape(README) == shape(CHINESE)
    assert f"]({CHINESE.name})" in README.read_text("utf-8").splitlines()[0]
    assert f"]({README.name})" in CHINESE.read_text("utf-8").splitlines()[0]


@pytest.mark.parametrize("language", troubleshooting.PAGES)
def test_troubleshooting_is_fresh(language: str) -> None:
    assert troubleshooting.PAGES[language].read_text("utf-8") == troubleshooting.page(language), "make docs writes it anew"


def test_troubleshooting_knows_every_kind_of_error() -> None:
    tree = set(re.findall(r"\w*(?:Error|Stopped)\b", rpg.errors.__doc__ or ""))
    assert tree == set(troubleshooting.REMEDIES)
    assert {kind for kind, _ in troubleshooting.error_texts()} <= tree


def test_screenshots_have_a_scene() -> None:
    for name in screenshots.SCENES:
        assert (CHECKOUT / f"docs/{name}.png").exists(), "make screenshots takes it"


def test_a_release_agrees_with_itself() -> None:
    metadata = configparser.ConfigParser()
    metadata.read(CHECKOUT / "metadata.ini")
    name = metadata["Extension"]["Name"]
    assert f'name = "{name}"' in (CHECKOUT / "pyproject.toml").read_text()
    assert f"## {rpg.__version__}" in (CHECKOUT / "CHANGELOG.md").read_text()
    entry = json.loads((CHECKOUT / ".github/extension-index.json").read_text())
    assert set(entry) == {"name", "url", "description", "added", "tags"}
    workflow = (CHECKOUT / ".github/workflows/test.yml").read_text()
    assert '["3.10", "3.11"]' in workflow
    assert "make test" in workflow
