"""What people really write, a table for each kind: the caption, how many regions stand in each row, and words of each region."""

from __future__ import annotations

from rpg.areas.layout import Layout
from rpg.planners.rules import plan

Case = tuple[str, list[int], list[list[str]]]

WRITTEN_BEFOREHAND: dict[str, list[Case]] = {
    "the webui's syntax": [
        ("a (grey wolf:1.2) on the left, a (red fox:1.1) on the right", [2], [["(grey wolf:1.2)"], ["(red fox:1.1)"]]),
        ("a [tall|short] wizard and a (green:1.3) dragon", [2], [["[tall|short] wizard"], ["(green:1.3) dragon"]]),
        (
            "rem \\(re:zero\\) on the left, ram \\(re:zero\\) on the right, <lora:twins:0.7>",
            [2],
            [["rem \\(re:zero\\)"], ["ram \\(re:zero\\)"]],
        ),
        ("an old tower ADDCOL a windmill ADDROW a wheat field", [2, 1], [["old tower"], ["windmill"], ["wheat field"]]),
        ("a [cat:dog:0.5] on a chair and a {red|blue} balloon", [2], [["[cat:dog:0.5]"], ["{red|blue} balloon"]]),
    ],
    "sides": [
        ("a cactus right of a telescope", [2], [["telescope"], ["cactus"]]),
        ("a green parrot on the top of a brown barrel", [1, 1], [["green parrot"], ["brown barrel"]]),
        ("a bicycle near a fountain pen", [2], [["bicycle"], ["fountain pen"]]),
    ],
    "depth": [
        ("a blue suitcase behind a yellow chair", [1, 1], [["blue suitcase"], ["yellow chair"]]),
        ("a boy in front of a red bus", [1, 1], [["red bus"], ["boy"]]),
    ],
    "later sentences": [
        (
            "A ceramic teapot stands on a windowsill. Its handle is chipped. The lid is painted with small roses.",
            [1],
            [["teapot", "handle", "lid", "roses"]],
        ),
        (
            "A lighthouse keeper and a young sailor stand on a pier. The image conveys loneliness.",
            [2],
            [["lighthouse keeper"], ["young sailor"]],
        ),
        (
            "A blonde woman stands on the left and a bald man on the right. She wears a green coat. He holds an umbrella.",
            [2],
            [["blonde woman", "green coat"], ["bald man", "umbrella"]],
        ),
    ],
    "styles and lone adjectives": [
        (
            "a hedgehog and a badger, watercolor, octane render, 8k",
            [2],
            [["hedgehog", "watercolor"], ["badger", "octane render"]],
        ),
        ("a rusty, dented bucket beside a shiny, new shovel", [2], [["rusty", "dented", "bucket"], ["shiny", "new", "shovel"]]),
        ("1girl, red scarf, sword, snow, masterpiece", [1], [["girl", "red scarf", "sword"]]),
    ],
    "numbers and plurals": [
        ("a pair of scissors and a 5 0 mm lens", [2], [["pair of scissors"], ["lens"]]),
        ("wool socks and a leather wallet", [2], [["wool socks"], ["leather wallet"]]),
        ("two salmon and three lemons", [2, 3], [["salmon"], ["salmon"], ["lemon"], ["lemon"], ["lemon"]]),
        ("a dining table and a table runner", [2], [["dining table"], ["table runner"]]),
        ('a shop sign that says "Bread and Butter", a bicycle', [2], [['"Bread and Butter"'], ["bicycle"]]),
    ],
    "named characters": [
        (
            r"2girls, hatsune miku \(vocaloid\), megurine luka \(vocaloid\), school uniform, park",
            [2],
            [[r"1girl, school uniform, hatsune miku \(vocaloid\), park"], [r"1girl, school uniform, megurine luka \(vocaloid\)"]],
        ),
        (
            r"3girls, kafka \(honkai\), himeko \(honkai\), silver wolf \(honkai\), masterpiece",
            [3],
            [[r"1girl, kafka \(honkai\)"], [r"1girl, himeko \(honkai\)"], [r"1girl, silver wolf \(honkai\)"]],
        ),
        (
            r"1girl, 1boy, couple, hatsune miku \(vocaloid\), kaito \(vocaloid\), park",
            [2],
            [[r"1girl, hatsune miku \(vocaloid\)"], [r"kaito \(vocaloid\)"]],
        ),
        (
            r"1girl, 1boy, kaito \(vocaloid\) on the right, hatsune miku \(vocaloid\) on the left",
            [2],
            [[r"hatsune miku \(vocaloid\)"], [r"kaito \(vocaloid\)"]],
        ),
        (r"2girls, hatsune miku \(vocaloid\), smile", [2], [[r"1girl, smile, hatsune miku \(vocaloid\)"], ["1girl, smile"]]),
    ],
    "Chinese": [
        ("一块黑板，上面写着“放学了”，旁边是一张课桌", [2], [["黑板", "放学了"], ["课桌"]]),
        ("一位老奶奶和一个小女孩，他们的手牵在一起，使用胶片相机拍摄", [2], [["老奶奶"], ["小女孩"]]),
        ("书架上有一只花猫，花猫右边有一盆仙人掌", [2], [["花猫"], ["仙人掌"]]),
        ("2女孩，和服，夜市", [2], [["女孩", "和服"], ["女孩", "夜市"]]),
    ],
    "long scenes": [
        (
            "Inside a wooden cabin, a window shows falling snow, a cat sleeps by the fireplace, "
            "and above the fireplace hangs a portrait of a lady.",
            [2, 2],
            [["window"], ["portrait"], ["cat"], ["fireplace"]],
        ),
    ],
}
RIGHT = 31


def faults(caption: str, rows: list[int], words: list[list[str]]) -> list[str]:
    """What is wrong with the plan for a caption."""
    made = plan(caption)
    found = [len(row.widths) for row in Layout.parse(made.split_ratio).rows]
    if found != rows:
        return [f"rows of {found}, not {rows}: {[region.prompt for region in made.regions]}"]
    return [
        f"region {number}, {region.prompt!r}, lacks {word!r}"
        for number, (region, wanted) in enumerate(zip(made.regions, words, strict=True), 1)
        for word in wanted
        if not any(choice in region.prompt for choice in [word, word.capitalize()])
    ]


def test_prompts_that_were_written_before_the_rules_for_them() -> None:
    cases = [case for cases in WRITTEN_BEFOREHAND.values() for case in cases]
    wrong = {case[0]: found for case in cases if (found := faults(*case))}
    report = "\n".join("\n    ".join([caption, *found]) for caption, found in wrong.items())
    assert len(cases) - len(wrong) >= RIGHT, report
