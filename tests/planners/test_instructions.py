"""Instruction templates, built in and the user's own."""

import json
import re
from pathlib import Path

import pytest

from rpg.errors import PlannerError
from rpg.planners import Planner, PlanRequest, Subject, make_plan, templates
from rpg.planners.instructions import MAX_TEMPLATE, SCHEMA, load_template
from rpg.planners.reply import read_reply
from tests.llm.servers import serve, streamed


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RPG_TEMPLATES", str(tmp_path))
    return tmp_path


def test_the_built_in_template_keeps_its_own_rules() -> None:
    template = load_template()
    assert (template.name, template.version) == ("default", "1")
    assert template.wants_json
    assert template.fill(Subject("a cat")).endswith("\nCaption: a cat\n")
    example = template.text.partition("\nExample\n")[2]
    caption = re.search("Caption: (.*)", example)[1]
    plan = read_reply(example, caption, "test")
    assert plan.areas.layout.text == "2,1,1;1"
    assert 0.35 <= plan.base_ratio <= 0.55
    assert "boy" in plan.base_prompt
    assert "girl" in plan.base_prompt
    for region, attributes in zip(
        plan.regions, (["red hair", "green", "jacket"], ["yellow raincoat"], ["ducks", "pond"]), strict=True
    ):
        assert all(attribute in region.prompt for attribute in attributes)
        assert len(region.prompt.split()) <= 60


def test_the_schema_and_the_template_agree() -> None:
    shown = load_template().text.partition("in this form:\n")[2].partition("\n- ")[0]
    form = json.loads(shown)
    assert list(form) == SCHEMA["required"]
    assert list(form["rows"][0]) == SCHEMA["properties"]["rows"]["items"]["required"]
    assert (
        list(form["rows"][0]["regions"][0]) == SCHEMA["properties"]["rows"]["items"]["properties"]["regions"]["items"]["required"]
    )


def test_a_template_says_where_the_size_stands(folder: Path) -> None:
    (folder / "mine.txt").write_text("{size} Plan: {caption}")
    (folder / "silent.txt").write_text("Plan: {caption}")
    wide = Subject("a cat", 1024, 512)
    assert load_template("mine").fill(wide) == "The picture is 1024 pixels wide and 512 high. Plan: a cat"
    assert load_template("mine").fill(Subject("a cat")) == " Plan: a cat"
    assert load_template("silent").fill(wide) == "Plan: a cat"
    assert load_template().fill(wide).endswith("\nCaption: a cat\nThe picture is 1024 pixels wide and 512 high.\n")


def test_files_of_the_user(folder: Path) -> None:
    (folder / "mine.txt").write_text("version: 7\nPlan this: {caption}! Thanks.", encoding="utf-8")
    (folder / "plain.txt").write_text("Plan in your own words.", encoding="utf-8-sig")
    (folder / "notes.md").write_text("no template")
    assert templates() == ["default", "mine", "plain"]
    mine, plain = load_template("mine"), load_template("plain")
    assert (mine.version, mine.fill(Subject("a {caption}"))) == ("7", "Plan this: a {caption}! Thanks.")
    assert (len(plain.version), plain.fill(Subject("a cat"))) == (8, "Plan in your own words.\n\nCaption: a cat\n")
    assert not mine.wants_json
    (folder / "plain.txt").write_text("Other words.")
    assert load_template("plain").version != plain.version


def test_a_file_takes_the_place_of_the_built_in(folder: Path) -> None:
    (folder / "default.txt").write_text("version: mine\nPlan.")
    assert templates() == ["default"]
    assert load_template("").version == "mine"


def test_the_folder_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "from-environment.txt").write_text("Plan.")
    monkeypatch.setenv("RPG_TEMPLATES", str(tmp_path))
    assert templates() == ["default", "from-environment"]
    monkeypatch.setenv("RPG_TEMPLATES", str(tmp_path / "missing"))
    assert templates() == ["default"]


@pytest.mark.parametrize("name", ["missing", "../secret", "/etc/passwd", "default.txt"])
def test_only_listed_names_are_read(folder: Path, name: str) -> None:
    (folder.parent / "secret.txt").write_text("secret")
    with pytest.raises(PlannerError, match="it must be one of default"):
        load_template(name)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\xfe\x00", "must be a text file in UTF-8"),
        (b" \n", "is empty"),
        (b"a" * (MAX_TEMPLATE + 1), "is larger than 64 KB"),
    ],
)
def test_files_that_are_no_template(folder: Path, content: bytes, sentence: str) -> None:
    (folder / "bad.txt").write_bytes(content)
    with pytest.raises(PlannerError, match=sentence):
        load_template("bad")


def test_a_template_in_words_is_sent_without_a_schema_and_its_version_kept(folder: Path) -> None:
    (folder / "words.txt").write_text("version: 3\nAnswer with 'Final split ratio:' and 'Regional Prompt:'.")
    with serve(streamed("Final split ratio: 1;1\nRegional Prompt: sky BREAK sea")) as server:
        planner = Planner("compatible", model="m", base_url=server.url, template="words")
        plan = make_plan(PlanRequest(Subject("sky above sea"), planner))
        assert "response_format" not in server.received[0].body
    assert plan.planned_by == "compatible m, template words 3"
    assert plan.split_ratio == "1;1"


def test_small_models_are_given_no_example_to_copy(folder: Path) -> None:
    (folder / "mine.txt").write_text("Plan.\n\nExample\nCaption: two ducks")
    with serve(streamed()) as server:
        for provider, template in (("openai", ""), ("compatible", ""), ("compatible", "mine")):
            make_plan(PlanRequest(Subject("a cat and a dog"), Planner(provider, "m", server.url, "key-of-a-test", template)))
        texts = [received.body["messages"][0]["content"] for received in server.received]
    assert ["\nExample\n" in text for text in texts] == [True, False, True]
    assert texts[1].endswith("\n\nCaption: a cat and a dog\n")
    assert "duck" not in texts[1]
