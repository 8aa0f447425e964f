"""Weights in prompts: the webui's grammar and arithmetic."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rpg.errors import GenerationError
from rpg.pipelines.chunks import chunks
from rpg.pipelines.encoding import encode
from rpg.pipelines.weights import Piece, sections, text
from rpg.plan import Plan, Region
from tests.pipelines.models import regional
from tests.pipelines.test_regional import SMALL, grey_levels

STEP = 1.1


@pytest.mark.parametrize(
    ("prompt", "pieces"),
    [
        ("a red cat", [("a red cat", 1)]),
        ("a (red) cat", [("a ", 1), ("red", STEP), (" cat", 1)]),
        ("a [red] cat", [("a ", 1), ("red", 1 / STEP), (" cat", 1)]),
        ("a (red:1.3) cat", [("a ", 1), ("red", 1.3), (" cat", 1)]),
        ("a ((red)) cat", [("a ", 1), ("red", STEP * STEP), (" cat", 1)]),
        ("(a (red: 1.5 ), cat:0.5)", [("a ", 0.5), ("red", 0.75), (", cat", 0.5)]),
        (r"misty \(pokemon\), (klee \(genshin\):1.2)", [("misty (pokemon), ", 1), ("klee (genshin)", 1.2)]),
        ("(red", [("red", STEP)]),
        ("[red", [("red", 1 / STEP)]),
        ("red) :) ]", [("red) :) ]", 1)]),
        ("at 12:30", [("at 12:30", 1)]),
        ("(a:-1)", [("a", -1)]),
        ("", []),
    ],
)
def test_grammar(prompt: str, pieces: list[tuple[str, float]]) -> None:
    (found,) = sections(prompt)
    assert [piece.text for piece in found] == [text for text, _ in pieces]
    assert [piece.weight for piece in found] == pytest.approx([weight for _, weight in pieces])


def test_break_begins_a_chunk() -> None:
    assert [text(section) for section in sections("a cat BREAK a dog\nBREAK")] == ["a cat", "a dog"]
    assert sections("(a BREAK b:2)") == [[Piece("a", 2)], [Piece("b", 2)]]
    assert [text(section) for section in sections("BREAK a")] == ["", "a"]
    assert [text(section) for section in sections("BREAKFAST")] == ["BREAKFAST"]


@pytest.mark.parametrize("schedule", ["[cat:dog:0.5]", "[cat:10]", "[:hat:0.2]", "[cow|horse]", "[(red:1.2) cat:0.5]"])
def test_what_changes_from_step_to_step_is_refused(schedule: str) -> None:
    with pytest.raises(GenerationError, match="changes the prompt from step to step"):
        sections(f"a {schedule} in a field")


@given(st.lists(st.tuples(st.text("ab ,", max_size=40), st.sampled_from([1.0, 1.2])), max_size=6), st.integers(2, 9))
def test_chunks_keep_every_word_and_its_weight(given: list[tuple[str, float]], limit: int) -> None:
    pieces = [Piece(*piece) for piece in given]
    cut = chunks(pieces, len, limit)

    def letters(parts: list[Piece]) -> list[tuple[str, float]]:
        return [(letter, piece.weight) for piece in parts for letter in piece.text if letter != " "]

    assert letters([piece for chunk in cut for piece in chunk]) == letters(pieces)
    assert all(len(text(chunk).strip()) <= limit for chunk in cut)


@pytest.fixture(scope="module", params=["sd1", "sd2", "sdxl"])
def pipe(request: pytest.FixtureRequest) -> Any:
    return regional(request.param)


def test_embeddings_are_multiplied_and_their_mean_restored(pipe) -> None:
    with torch.no_grad():
        plain = encode(pipe, "a red cat").embeds[0]
        weighted = encode(pipe, "a (red:1.5) cat").embeds[0]
        # a begin token, then one token for each word
        factors = torch.ones(77, 1)
        red = slice(1 + len(pipe.tokenizer.tokenize("a")), 1 + len(pipe.tokenizer.tokenize("a red")))
        factors[red] = 1.5
    for channels in (slice(0, 32), slice(32, 64))[: plain.shape[1] // 32]:  # the text encoders, one by one
        expected = plain[:, channels] * factors
        expected *= plain[:, channels].mean() / expected.mean()
        torch.testing.assert_close(weighted[:, channels], expected)


def test_weights_of_1_change_nothing(pipe) -> None:
    with torch.no_grad():
        plain, weighted = encode(pipe, "a red cat"), encode(pipe, "a (red:1.0) cat")
    assert torch.equal(plain.embeds, weighted.embeds)


def test_every_chunk_has_its_own_weights(pipe) -> None:
    with torch.no_grad():
        both = encode(pipe, "a (red:1.5) cat BREAK a [blue] dog").embeds
        alone = [encode(pipe, prompt).embeds for prompt in ("a (red:1.5) cat", "a [blue] dog")]
        long = encode(pipe, "a red cat, " * 30 + "(at night:1.5)").embeds
        plain = encode(pipe, "a red cat, " * 30 + "at night").embeds
    torch.testing.assert_close(both, torch.cat(alone, dim=1))
    assert long.shape == plain.shape
    assert torch.equal(long[:, :77], plain[:, :77])
    assert not torch.equal(long[:, -77:], plain[:, -77:])


def test_pictures_follow_weights_in_regions(pipe) -> None:
    def pictures(prompt: str) -> Any:
        return pipe.generate(Plan((Region(prompt), Region("a dog")), "1,1", base_ratio=0, latent_ratio=0), **SMALL).images

    plain = pictures("a red cat")
    assert grey_levels(plain, pictures("a (red:1) cat")) == 0
    assert grey_levels(plain, pictures("a (red:1.8) cat")) > 0
