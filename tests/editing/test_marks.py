"""Answers shown: boxes on a copy, texts for the infotext."""

from __future__ import annotations

import json

from PIL import Image, ImageChops

from rpg.areas.layout import Box
from rpg.editing.critic import Finding, Verdict
from rpg.editing.marks import checks_text, edited_infotext, marked, marked_places, sentences
from rpg.editing.operations import Operation
from rpg.infotext import Infotext, parts, with_values
from tests.editing.checklists import checklist_of_caption

CHECKLIST = checklist_of_caption("a cat and a dog")
PICTURE = Image.new("RGB", (128, 64), "white")


def test_boxes_are_drawn_on_a_copy() -> None:
    findings = {id: Finding(id != "object-2", "", Box(0.5, 0, 1, 1) if id == "object-2" else None) for id in CHECKLIST.ids}
    copy = marked(PICTURE, Verdict(CHECKLIST, findings))
    assert PICTURE.getcolors() == [(128 * 64, (255, 255, 255))]
    assert ImageChops.difference(copy, PICTURE).getbbox() == (64, 0, 128, 64)
    assert copy.getpixel((127, 40))[0] > 200, "what failed is red"
    place = marked_places(PICTURE, [Operation("add", Box(0, 0, 0.25, 1), "a cat")])
    assert ImageChops.difference(place, PICTURE).getbbox()[0] == 0


def test_the_infotext_keeps_the_checklist_and_all_edits() -> None:
    findings = {id: Finding(id == "object-1") for id in CHECKLIST.ids}
    assert checks_text(Verdict(CHECKLIST, findings)).startswith("object-1 yes: There is a cat.; object-2 no: There is a dog.; ")
    made = str(Infotext("a cat", steps=20, sampler="Euler a", seed=1, size=(128, 64)))
    once = edited_infotext(made, "", [Operation("add", Box(0, 0, 0.5, 1), 'a "dog", <b>')])
    twice = edited_infotext(once, "", [Operation("remove", Box(0, 0, 1, 1), "")])
    kept = json.loads(parts(twice)[2]["RPG operations"])
    assert [(item["kind"], item.get("prompt")) for item in kept] == [("add", 'a "dog", <b>'), ("remove", None)]
    assert parts(twice)[2]["Seed"] == "1"
    broken = with_values(made, {"RPG operations": "{no JSON"})
    assert (
        len(json.loads(parts(edited_infotext(broken, "", [Operation("remove", Box(0, 0, 1, 1), "")]))[2]["RPG operations"])) == 1
    )


def test_answers_are_sentences_for_the_page() -> None:
    verdict = Verdict(CHECKLIST, {id: Finding(id != "object-2", "There is none.") for id in CHECKLIST.ids})
    lines = sentences(verdict)
    assert lines[-1] == f"{len(verdict.passed)} of {len(verdict.findings)} checks passed."
    assert len(lines) == len(verdict.findings) + 1
    for line, (id, finding) in zip(lines, verdict.findings.items()):
        assert line.startswith(f"{'Yes' if finding.passed else 'No'} ({id}). ")
