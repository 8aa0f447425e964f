import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpg.errors import PlanError
from rpg.plan import Plan
from rpg.presets import Presets, store
from rpg.presets.store import MAX_NAME, clean, draft, included, with_texts_of

TWO: dict[str, Any] = {"regions": [{"prompt": "a cat"}, {"prompt": "a dog"}], "split_ratio": "1,2"}


@pytest.fixture
def presets(tmp_path: Path) -> Presets:
    return Presets(tmp_path / "presets")


def test_a_plan_comes_back_as_it_was_saved(presets: Presets) -> None:
    assert presets.save("Pets", TWO) == "Pets"
    assert presets.load("Pets") == Plan.from_dict(TWO).to_dict()
    assert presets.names()[0] == "Pets"
    presets.save("Pets", {**TWO, "split_ratio": "1;1"})
    assert presets.load("Pets")["split_ratio"] == "1;1"
    assert [path.name for path in presets.folder.iterdir()] == ["Pets.json"], "something was left beside it"


def test_layouts_without_prompts_are_presets_too(presets: Presets) -> None:
    presets.save("Layout", {"regions": [{"prompt": ""}, "  ", {"prompt": "x"}], "split_ratio": "1;1,2,1"})
    assert [region["prompt"] for region in presets.load("Layout")["regions"]] == ["", "", "x"]


@pytest.mark.parametrize("data", [None, [], {}, {"regions": []}, {"regions": [{"prompt": "", "x": 1}]}, {"regions": [3]}])
def test_what_is_no_plan_is_refused_and_not_written(presets: Presets, data: object) -> None:
    with pytest.raises(PlanError):
        presets.save("x", data)
    assert not presets.folder.exists()


def test_rename_and_delete(presets: Presets) -> None:
    presets.save("one", TWO)
    presets.save("two", TWO)
    with pytest.raises(PlanError, match="'two' already"):
        presets.rename("one", "two")
    assert presets.rename("one", "three/four") == "three-four"
    assert presets.rename("three-four", "three-four") == "three-four"
    presets.delete("two")
    assert presets.names() == ["three-four", *included()]
    for missing in "two", "Triptych":
        with pytest.raises(PlanError) as error:
            presets.delete(missing)
        assert error.value.status_code == 404
    with pytest.raises(PlanError, match="no preset 'two'"):
        presets.load("two")


def test_a_failed_save_leaves_the_former_preset(presets: Presets, monkeypatch: pytest.MonkeyPatch) -> None:
    presets.save("x", TWO)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.os, "replace", full)
    with pytest.raises(PlanError, match="No space left"):
        presets.save("x", {**TWO, "split_ratio": "2,1"})
    assert presets.load("x")["split_ratio"] == "1,2"
    assert [path.name for path in presets.folder.iterdir()] == ["x.json"]


def test_at_most_a_thousand(presets: Presets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MAX_PRESETS", 2)
    presets.save("a", TWO)
    presets.save("b", TWO)
    presets.save("b", TWO)
    with pytest.raises(PlanError, match="2 presets already"):
        presets.save("c", TWO)


def test_broken_files_are_told_of_by_name(presets: Presets) -> None:
    presets.folder.mkdir()
    (presets.folder / "broken.json").write_text("{")
    (presets.folder / "binary.json").write_bytes(b"\xff")
    assert presets.names()[:2] == ["binary", "broken"]
    for name in "broken", "binary":
        with pytest.raises(PlanError):
            presets.load(name)


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("../../etc/passwd", "-..-etc-passwd"),
        ("  two\n halves. ", "two halves"),
        ("a:b*c", "a-b-c"),
        ("CON", "CON-"),
        ("nul.txt", "nul.txt-"),
        (".hidden", "hidden"),
        ("x.json", "x"),
        ("猫と犬", "猫と犬"),
    ],
)
def test_names_are_cleaned(name: str, cleaned: str) -> None:
    assert clean(name) == cleaned


@pytest.mark.parametrize("name", ["", " . ", "///", "x" * 121, None, 3])
def test_names_without_a_rest_are_refused(name: Any) -> None:
    with pytest.raises(PlanError, match="name"):
        clean(name)


@given(st.text())
def test_a_cleaned_name_stays_in_the_folder(name: str) -> None:
    try:
        cleaned = clean(name)
    except PlanError:
        return
    assert clean(cleaned) == cleaned
    path = Path("/folder") / f"{cleaned}.json"
    assert path.resolve().parent == Path("/folder").resolve()
    assert len(cleaned.encode()) <= MAX_NAME + 1


def test_those_that_come_along_are_layouts(presets: Presets) -> None:
    for name in included():
        data = presets.load(name)
        assert draft(data) == data
        json.dumps(data)
    presets.save("Triptych", TWO)
    assert presets.load("Triptych")["split_ratio"] == "1,2"
    assert presets.names().count("Triptych") == 1


def test_regions_without_a_prompt_keep_their_texts() -> None:
    preset = draft({"regions": [{"prompt": ""}, {"prompt": "sky"}, {"prompt": ""}], "split_ratio": "1;1;1"})
    present = {"regions": [{"prompt": "a cat", "base_ratio": 0.5}, {"prompt": "a dog"}], "split_ratio": "1,1"}
    result = with_texts_of(preset, present)
    assert result["split_ratio"] == "1;1;1"
    assert result["regions"] == [{"prompt": "a cat", "base_ratio": 0.5}, {"prompt": "sky"}, {"prompt": ""}]
    kept = {**present, "common_prompt": "masterpiece"}
    assert with_texts_of(preset, kept) == {**result, "common_prompt": "masterpiece"}
    assert with_texts_of({**preset, "common_prompt": "a photo"}, kept)["common_prompt"] == "a photo"
    assert with_texts_of(draft(TWO), kept) == draft(TWO)
    for nothing in (None, {}, {"regions": "x"}, {"regions": [None]}):
        assert with_texts_of(preset, nothing) == preset
