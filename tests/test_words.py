"""``localizations/``: every text of the panel is there, and nothing else."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from rpg.panel.app import build_app
from tests.panel.page import generate
from tests.sentences import CHECKOUT, every_text, panel_sentences, script_texts

FILES = sorted((CHECKOUT / "localizations").glob("*.json"))
UNSEEN = {
    "HTTP request was sent to HTTPS",
    "HTTP request to an HTTPS",
    "RPG refused a request: {1}",
    "That answer cannot be used: {error} Answer again, completely, in the form that was asked for.",
    "Divide it like this, and enrich each prompt{1}: {2}",
    "The picture is {1} pixels wide and {2} high.",
    "api key not valid",
    "rpg.pipelines needs diffusers; install it with: pip install 'sd-webui-rpg[standalone]'",
    "the main prompt, known at generation",
}
"""What only models, their servers, the console and programmers read."""
UNTRANSLATED = {"rpg-standalone-model", "rpg-standalone-kind"}
"""Components whose choices are names from elsewhere."""

Words = dict[str, str]


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def words(request: pytest.FixtureRequest) -> Words:
    pairs = json.loads(request.param.read_text("utf-8"), object_pairs_hook=list)
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), [key for key in keys if keys.count(key) > 1]
    return dict(pairs)


def component_texts() -> set[str]:
    """What the built page says in labels, hints, buttons and choices."""
    texts: set[str] = set()
    for component in build_app(generate).get_config_file()["components"]:
        props: dict[str, Any] = component["props"]
        texts |= {str(props[name]) for name in ("label", "placeholder", "info") if props.get(name)}
        if component["type"] == "button":
            texts.add(props["value"])
        if component["type"] == "html":
            texts |= set(re.findall(r"<p[^>]*>([^<]+)</p>", props["value"] or ""))
        if component["type"] == "dropdown" and props["elem_id"] not in UNTRANSLATED:
            texts |= set(props["choices"])
    return texts


def test_nothing_is_missing(words: Words) -> None:
    assert FILES
    sentences = {text for text in panel_sentences() if text not in UNSEEN}
    assert len(sentences) > 200, "the sources were not read"
    assert sorted((sentences | script_texts() | component_texts()) - set(words)) == []


def test_nothing_is_stale(words: Words) -> None:
    known = every_text() | component_texts()
    assert sorted(set(words) - known) == []
    assert sorted(UNSEEN - known) == []


def test_translations_have_places_for_the_same_values(words: Words) -> None:
    for key, said in words.items():
        assert set(re.findall(r"\{\d\}", said)) <= set(re.findall(r"\{\d\}", key)), key


def test_translations_are_in_chinese() -> None:
    words = json.loads(Path(CHECKOUT / "localizations/zh_CN.json").read_text("utf-8"))
    names = {"OpenAI", "DeepSeek", "Google Gemini", "base_url ({1})", "{1} failed: {2}: {3}."}
    assert {key for key, said in words.items() if not re.search(r"[\u4e00-\u9fff]", said)} <= names
    assert [key for key, said in words.items() if re.search(r"[\u4e00-\u9fff][;?!]|[\u4e00-\u9fff]\.$", said)] == []
