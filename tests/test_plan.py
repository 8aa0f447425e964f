import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpg.areas.area import Area
from rpg.areas.layout import Box
from rpg.errors import LayoutError, PlanError, RPGError
from rpg.plan import (
    DEFAULT_BASE_RATIO,
    DEFAULT_LATENT_RATIO,
    LATENT_RATIO_KEY,
    MAX_JSON,
    MAX_MASKS,
    MAX_TEXT,
    VERSION,
    Plan,
    Region,
    load_plan_json,
    regions_from,
    suited_latent_ratio,
)
from tests.areas.test_area import png
from tests.fuzz import fuzz

COLUMNS = ["1", "1,1", "1,2,1", "1;1", "1,1,1;2,1,1"]

texts = st.text(max_size=20)
prompts = st.text(min_size=1, max_size=20).map("a{}".format)
shares = st.floats(0, 1)
BLOB = png([[0, 255], [128, 0]])
own_areas = st.sampled_from([Area(Box(0, 0.25, 0.5, 1)), Area(Box(0.1, 0.2, 0.3, 0.4), feather=0.1), Area(mask=BLOB)])
regions = st.builds(Region, prompts, st.none() | texts, st.none() | shares)
keys = st.sampled_from(["prompt", "base_ratio", "negative_prompt", "area", "box", "mask", "feather", "", "x"])
json_values = st.recursive(
    st.sampled_from([None, True, 0, 0.5, 2, -1, math.nan, math.inf, 10**400, "", "a", "1,1", "a BREAK b", BLOB, [0, 0, 1, 0.5]]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
fields = ["regions", "split_ratio", "base_prompt", "base_ratio", "caption", "notes", "planned_by", "common_prompt", "version"]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    ratio = draw(st.sampled_from(COLUMNS))
    count = ratio.count(",") + 1 if ";" not in ratio else {"1;1": 2, "1,1,1;2,1,1": 4}[ratio]
    parts = draw(st.lists(regions, min_size=count, max_size=count))
    for area in draw(st.lists(own_areas, max_size=3)):
        parts.insert(draw(st.integers(0, len(parts))), replace(draw(regions), area=area))
    if draw(st.booleans()) and (drawn := [region for region in parts if region.area]):
        parts, ratio = drawn, ""
    common = draw(texts)
    return Plan(tuple(parts), ratio, draw(texts), draw(shares), draw(texts), draw(texts), draw(texts), common_prompt=common)


@fuzz
@given(plans())
def test_text_to_plan_to_text_is_stable(plan: Plan) -> None:
    text = plan.to_json()
    assert Plan.from_json(text) == plan
    assert Plan.from_json(text).to_json() == text


@fuzz
@given(st.dictionaries(st.sampled_from([*fields, "seed"]), json_values, max_size=5) | json_values)
def test_random_values_give_a_plan_or_a_sentence(value: object) -> None:
    _plan_or_sentence(lambda: Plan.from_dict(value))


@fuzz
@given(st.text(max_size=60) | st.text(st.sampled_from('{}[]",:0123456789.-+eNaNInfity regionsplit_\\u'), max_size=60))
def test_random_text_gives_a_plan_or_a_sentence(text: str) -> None:
    _plan_or_sentence(lambda: Plan.from_json(text))


def _plan_or_sentence(make) -> None:
    try:
        plan = make()
    except RPGError as error:
        sentence = str(error)
        assert sentence.endswith(".")
        assert len(sentence) < 1500
    else:
        assert Plan.from_json(plan.to_json()) == plan


def test_dict_with_only_regions() -> None:
    plan = Plan.from_dict({"regions": ["a fox", {"prompt": "an owl", "negative_prompt": "blurry", "base_ratio": 0.1}]})
    assert plan.split_ratio == "1,1"
    assert plan.regions == (Region("a fox"), Region("an owl", "blurry", 0.1))
    assert plan.base_ratios == (DEFAULT_BASE_RATIO, 0.1)
    assert plan.base_prompt == ""
    assert plan.areas.layout.count == 2


def test_dict_form_is_json_and_versioned() -> None:
    plan = Plan((Region("a fox"), Region("狐狸", base_ratio=1)), "1;1", base_prompt="two foxes")
    data = json.loads(plan.to_json())
    assert data["version"] == VERSION
    assert data["regions"] == [{"prompt": "a fox"}, {"prompt": "狐狸", "base_ratio": 1.0}]
    assert "狐狸" in plan.to_json()
    assert Plan.from_dict(data) == plan


def test_plan_is_frozen_and_canonical() -> None:
    plan = Plan([Region("a"), Region("b")], " 0.50 , 0.5 ", base_ratio=0)
    assert plan.split_ratio == "0.5,0.5"
    assert plan == Plan((Region("a"), Region("b")), "0.5,0.5", base_ratio=0.0)
    with pytest.raises(AttributeError):
        plan.base_ratio = 0.5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a BREAK b", ["a", "b"]),
        ("  a\nBREAK\nb BREAK c\n", ["a", "b", "c"]),
        ("a BREAKFAST table", ["a BREAKFAST table"]),
        ("a break b", ["a break b"]),
    ],
)
def test_one_string_is_split_at_break(text: str, expected: list[str]) -> None:
    assert [region.prompt for region in regions_from(text)] == expected


def test_break_inside_a_list_entry_stays() -> None:
    assert regions_from(["a BREAK b", "c"]) == (Region("a BREAK b"), Region("c"))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({}, "regions is missing"),
        ([], "The plan is []; it must be an object"),
        ({"regions": []}, "regions is empty"),
        ({"regions": 3}, "regions is 3; it must be a list"),
        ({"regions": b"a"}, "regions is b'a'; it must be a list"),
        ({"regions": ["a", ""]}, "Region 2: prompt is empty"),
        ({"regions": "a BREAK BREAK b"}, "Region 2: prompt is empty"),
        ({"regions": "a BREAK BREAK"}, "Region 2: prompt is empty"),
        ({"regions": "BREAK a"}, "Region 1: prompt is empty"),
        ({"regions": ["a", ""], "split_ratio": "1,1,1"}, "split_ratio '1,1,1' makes 3 regions, but there are 2 region prompts"),
        ({"regions": ["a", ", ,"]}, "Region 2: prompt is ', ,', which shows nothing"),
        ({"regions": ["，、", "a"]}, "Region 1: prompt is '，、', which shows nothing"),
        ({"regions": ["<lora:hat:0.8>"]}, "Region 1: prompt is '<lora:hat:0.8>', which shows nothing"),
        ({"regions": ["<lora:hat:0.8>, <hypernet:x:1>."]}, "which shows nothing"),
        ({"regions": ["a", 5]}, "Region 2: 5 is neither a prompt nor an object"),
        ({"regions": [{"promt": "a"}]}, "Region 1: Unknown field 'promt'; a region has prompt, negative_prompt, base_ratio"),
        ({"regions": [{}]}, "Region 1: prompt is missing"),
        ({"regions": [{"prompt": "a", "negative_prompt": 1}]}, "Region 1: negative_prompt is 1; it must be a text"),
        ({"regions": [{"prompt": "a", "base_ratio": 2}]}, "Region 1: base_ratio is 2; it must be a number from 0"),
        ({"regions": ["a"] * 65}, "There are 65 region prompts; at most 64"),
        ({"regions": ["a"], "split_ratio": "1,1"}, "split_ratio '1,1' makes 2 regions, but there is 1 region prompt"),
        ({"regions": ["a"] * 3, "split_ratio": "1"}, "split_ratio '1' makes 1 region, but there are 3 region prompts"),
        ({"regions": ["a"], "seed": 1}, "Unknown field 'seed'; a plan has regions, split_ratio"),
        ({"regions": ["a"], "base_ratio": "0.5"}, "base_ratio is '0.5'; it must be a number"),
        ({"regions": ["a"], "base_ratio": True}, "base_ratio is True; it must be a number"),
        ({"regions": ["a"], "base_ratio": math.nan}, "base_ratio is nan; it must be a number"),
        ({"regions": ["a"], "base_ratio": -0.01}, "base_ratio is -0.01; it must be a number"),
        ({"regions": ["a"], "base_prompt": None}, "base_prompt is None; it must be a text"),
        ({"regions": ["a"], "version": VERSION + 1}, f"version is {VERSION + 1}; this extension reads"),
        ({"regions": ["a"], "version": "1"}, "version is '1'; this extension reads"),
        ({"regions": ["é" * MAX_TEXT]}, f"The plan holds {2 * MAX_TEXT} bytes of text; at most {MAX_TEXT}"),
    ],
)
def test_refused_with_a_sentence(data: object, sentence: str) -> None:
    with pytest.raises(PlanError) as caught:
        Plan.from_dict(data)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("regions", [["a"], ["a", ""], "a BREAK"])
def test_a_bad_ratio_is_named_before_a_bad_region(regions: object) -> None:
    with pytest.raises(LayoutError, match="empty cell"):
        Plan.from_dict({"regions": regions, "split_ratio": "1,"})


@pytest.mark.parametrize("text", ["a BREAK b BREAK", "a\nBREAK\nb\nBREAK\n", "a BREAK b"])
def test_a_break_behind_the_last_region_begins_no_other(text: str) -> None:
    assert [region.prompt for region in Plan.from_dict({"regions": text}).regions] == ["a", "b"]


@pytest.mark.parametrize("prompt", ["-", "!", "🐱", "<lora:hat:0.8> a cat", "__animal__", "1", "<3", "({a|b})"])
def test_short_prompts_that_show_something(prompt: str) -> None:
    assert Region(prompt).prompt == prompt


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"regions": ["a"], "base_ratio": NaN}', "holds NaN"),
        ('{"regions": ["a"], "base_ratio": -Infinity}', "holds -Infinity"),
        ('{"regions": ["a"], "regions": ["b"]}', "gives 'regions' twice"),
        ('{"regions": ["a"]', "not valid JSON"),
        ("[" * 200_000, "not valid JSON"),
        (" " * (MAX_JSON + 1), f"{MAX_JSON + 1} bytes; at most {MAX_JSON}"),
        (None, "The plan is None; it must be a JSON text"),
    ],
)
def test_json_is_strict(text: str, sentence: str) -> None:
    with pytest.raises(PlanError) as caught:
        load_plan_json(text)
    assert sentence in str(caught.value)


def test_text_at_the_bound_is_accepted() -> None:
    plan = Plan((Region("a" * MAX_TEXT),), "1")
    assert Plan.from_json(plan.to_json()) == plan


def test_a_plan_leaves_the_latent_ratio_to_the_model() -> None:
    plan = Plan.from_dict({"regions": ["a", "b"]})
    assert plan.latent_ratio is None
    assert "latent_ratio" not in plan.to_dict()
    assert plan.for_model(0.6).latent_ratio == 0.6
    assert plan.for_model().latent_ratio == DEFAULT_LATENT_RATIO
    none = Plan.from_dict({"regions": ["a", "b"], "latent_ratio": 0})
    assert none.for_model(0.6) == none
    assert Plan.from_json(none.to_json()) == none


def test_a_plan_of_version_1_had_no_latent_ratio_unless_it_says_so() -> None:
    assert Plan.from_dict({"version": 1, "regions": ["a"]}).latent_ratio == 0
    assert Plan.from_dict({"version": 1, "regions": ["a"], "latent_ratio": 0.5}).latent_ratio == 0.5


@pytest.mark.parametrize(
    ("metadata", "ratio"),
    [(None, 0.3), ({}, 0.3), ({LATENT_RATIO_KEY: "0.65"}, 0.65), ({LATENT_RATIO_KEY: "2"}, 0.3), ({LATENT_RATIO_KEY: "x"}, 0.3)],
)
def test_what_a_checkpoint_says(metadata: dict[str, str] | None, ratio: float) -> None:
    assert suited_latent_ratio(metadata) == ratio


def test_the_latent_ratio_is_written_where_it_is_set() -> None:
    plan = Plan.from_dict({"regions": ["a", "b"], "latent_ratio": 1})
    assert Plan.from_json(plan.to_json()) == plan
    assert plan.to_dict()["latent_ratio"] == 1.0
    for value in (-0.1, 1.5, "0.3", True, float("nan")):
        with pytest.raises(PlanError, match=r"latent_ratio is .* number from 0 \(attention alone\) to 1"):
            Plan.from_dict({"regions": ["a"], "latent_ratio": value})


@pytest.mark.parametrize("common", ["masterpiece, best quality", " masterpiece, best quality, ", "masterpiece, best quality,\n"])
def test_a_common_prompt_stands_in_front_of_every_region(common: str) -> None:
    plan = Plan.from_dict({"regions": ["a cat", {"prompt": "a dog", "negative_prompt": "a fox"}], "common_prompt": common})
    written = plan.written_out()
    assert [region.prompt for region in written.regions] == [
        "masterpiece, best quality, a cat",
        "masterpiece, best quality, a dog",
    ]
    assert (written.regions[1].negative_prompt, written.base_prompt, written.common_prompt) == ("a fox", "", "")
    assert written.written_out() == written
    assert plan.main_prompt == written.main_prompt
    assert Plan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize("common", ["", " ", " , "])
def test_a_common_prompt_that_says_nothing_adds_nothing(common: str) -> None:
    plan = Plan.from_dict({"regions": ["a cat", "a dog"], "common_prompt": common})
    assert plan.written_out() == Plan.from_dict({"regions": ["a cat", "a dog"]})
    assert ("common_prompt" in plan.to_dict()) == (common != "")


def test_a_comment_at_the_end_of_the_common_prompt_does_not_reach_into_the_regions() -> None:
    plan = Plan.from_dict({"regions": ["a cat"], "common_prompt": "masterpiece # for now"})
    assert plan.written_out().regions[0].prompt == "masterpiece # for now\n, a cat"


def test_the_common_prompt_counts_once_a_region() -> None:
    with pytest.raises(PlanError, match="bytes of text"):
        Plan.from_dict({"regions": ["a", "b", "c"], "common_prompt": "x" * (MAX_TEXT // 3)})
    with pytest.raises(PlanError, match="common_prompt is 3; it must be a text"):
        Plan.from_dict({"regions": ["a"], "common_prompt": 3})


def test_regions_with_areas_of_their_own_fill_no_cells() -> None:
    box = {"prompt": "a hat", "area": {"box": [0.25, 0, 0.75, 0.5], "feather": 0.1}}
    plan = Plan.from_dict({"regions": ["a cat", box, "a dog"]})
    assert plan.split_ratio == "1,1"
    assert [region.area for region in plan.regions] == [None, Area(Box(0.25, 0, 0.75, 0.5), feather=0.1), None]
    assert plan.to_dict()["regions"][1] == box
    alone = Plan.from_dict({"regions": [box]})
    assert (alone.split_ratio, alone.areas.layout, alone.to_dict()["split_ratio"]) == ("", None, "")
    assert Plan.from_dict(
        {"regions": [box, {"prompt": "x", "area": {"mask": f"data:image/png;base64,{BLOB}"}}]}
    ) == Plan.from_dict({"regions": [box, {"prompt": "x", "area": {"mask": BLOB}}], "split_ratio": ""})


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"split_ratio": "1,1"}, "split_ratio '1,1' makes 2 regions, but there is 1 region prompt without an area"),
        ({"split_ratio": ""}, "split_ratio is empty"),
        ({"regions": [{"prompt": "a", "area": {"box": [0, 0, 1, 1]}}], "split_ratio": "1"}, "there are 0 region prompts without"),
        ({"regions": ["a", {"prompt": "a", "area": {"box": [0, 0, 2, 1]}}]}, "Region 2: box is 2; it must be four numbers"),
        ({"regions": ["a", {"prompt": "a", "area": []}]}, "Region 2: area is []; it must be an object"),
    ],
)
def test_areas_that_do_not_fit_are_refused(fields: dict[str, object], sentence: str) -> None:
    regions = [{"prompt": "a hat", "area": {"box": [0, 0, 1, 1]}}, "a cat"]
    with pytest.raises(RPGError) as caught:
        Plan.from_dict({"regions": regions, **fields})
    assert sentence in str(caught.value)


def test_masks_that_fit_into_no_infotext_are_refused() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (256, 256))
    with pytest.raises(PlanError, match=f"The masks hold .* bytes; at most {MAX_MASKS}"):
        Plan.from_dict({"regions": [{"prompt": "a", "area": {"mask": png(noise)}}]})
    y, x = np.mgrid[-1:1:512j, -1:1:512j]
    blobs = [png(255 * (x**2 + y**2 < size)) for size in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)]
    plan = Plan.from_dict({"regions": [{"prompt": "a", "area": {"mask": blob}} for blob in blobs]})
    assert len(plan.to_json()) < 16 * 1024
