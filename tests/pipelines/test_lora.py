"""LoRA named in prompts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from rpg.errors import GenerationError
from rpg.plan import Plan, Region
from tests.pipelines.models import regional
from tests.pipelines.test_regional import SMALL, grey_levels
from tests.pipelines.test_tasks import SETTINGS, inputs, made

UNET = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_v"
TEXT = "text_model.encoder.layers.0.self_attn.out_proj"
ALPHA, RANK = 2.0, 4


def write_lora(path: Path, pipe: Any, *, name: str | None = None) -> dict[str, torch.Tensor]:
    """A LoRA as trainers write it for the webui, and what it adds to each weight at 1."""
    generator = torch.Generator().manual_seed(1)
    tensors, added = {}, {}
    for prefix, key, model in (("lora_unet", UNET, pipe.unet), ("lora_te", TEXT, pipe.text_encoder)):
        rows, columns = model.get_submodule(key).weight.shape
        down, up = torch.randn(RANK, columns, generator=generator), torch.randn(rows, RANK, generator=generator)
        stem = f"{prefix}_{key.replace('.', '_')}"
        tensors |= {f"{stem}.lora_down.weight": down, f"{stem}.lora_up.weight": up, f"{stem}.alpha": torch.tensor(ALPHA)}
        added[key] = up @ down * ALPHA / RANK
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, metadata={"ss_output_name": name} if name else None)
    return added


def write_wide_lora(path: Path, pipe: Any) -> None:
    """One that changes attention, its projections and residual blocks, and a text encoder."""
    generator, tensors = torch.Generator().manual_seed(2), {}
    for prefix, model, names in (
        ("lora_unet", pipe.unet, r".*(to_[qkv]|to_out\.0|proj_in|proj_out|conv[12]|conv_shortcut|time_emb_proj|ff\.net\.2)"),
        ("lora_te1" if hasattr(pipe, "text_encoder_2") else "lora_te", pipe.text_encoder, r".*self_attn\.(q|k|v|out)_proj"),
    ):
        for name, layer in model.named_modules():
            if re.fullmatch(names, name):
                weight = layer.weight
                stem = f"{prefix}_{name.replace('.', '_')}"
                spread = 0.5 * weight.std() * weight[0].numel() ** 0.5
                down = torch.randn(2, *weight.shape[1:], generator=generator) / weight[0].numel() ** 0.5
                up = torch.randn(len(weight), 2, *(1,) * (weight.dim() - 2), generator=generator) * spread
                tensors |= {f"{stem}.lora_down.weight": down, f"{stem}.lora_up.weight": up, f"{stem}.alpha": torch.tensor(2.0)}
    save_file(tensors, path)


@pytest.fixture
def pipe(tmp_path: Path) -> Any:
    pipe = regional("sd1")
    pipe.lora_folder = tmp_path
    return pipe


def pictures(pipe: Any, left: str, right: str = "a dog", base_prompt: str = "") -> Any:
    plan = Plan((Region(left), Region(right)), "1,1", base_prompt, 0.3, latent_ratio=0)
    return pipe.generate(plan, **SMALL).images


@pytest.mark.parametrize(
    ("tag", "text", "unet"), [("<lora:hat:0.8>", 0.8, 0.8), ("<lora:hat>", 1, 1), ("<lora:hat:0:0.5>", 0, 0.5)]
)
def test_it_adds_what_is_in_the_file(pipe, tmp_path: Path, tag: str, text: float, unet: float) -> None:
    plain = pictures(pipe, "a cat", "a dog", "pets")
    added = write_lora(tmp_path / "people" / "hat.safetensors", pipe)
    ours = pictures(pipe, "a cat", "a dog", f"pets{tag}")
    assert grey_levels(plain, pictures(pipe, "a cat", "a dog", "pets")) == 0  # and it is off again
    pipe.unet.get_submodule(UNET).weight.data += unet * added[UNET]
    pipe.text_encoder.get_submodule(TEXT).weight.data += text * added[TEXT]
    merged = pictures(pipe, "a cat", "a dog", "pets")
    assert grey_levels(ours, merged) <= 1
    assert grey_levels(plain, merged) > 8


def test_found_by_the_name_that_its_training_gave_it(pipe, tmp_path: Path) -> None:
    write_lora(tmp_path / "hat-v2.safetensors", pipe, name="hat")
    assert grey_levels(pictures(pipe, "a cat <lora:hat:1>"), pictures(pipe, "a cat <lora:hat-v2:1>")) == 0


def test_two_at_once_and_off_after_an_error(pipe, tmp_path: Path) -> None:
    write_lora(tmp_path / "hat.safetensors", pipe)
    write_lora(tmp_path / "shoe.safetensors", pipe)
    plain = pictures(pipe, "a cat")
    one = pictures(pipe, "a cat<lora:hat:1>")
    halves = pictures(pipe, "a cat<lora:hat:0.5><lora:shoe:0.5>")
    assert grey_levels(halves, one) <= 1
    plan = Plan((Region("a cat<lora:hat:1>"), Region("a dog")), "1,1")

    def fail(*_: Any) -> Iterator[None]:
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        pipe.generate(plan, callback_on_step_end=fail, **SMALL)
    assert grey_levels(pictures(pipe, "a cat"), plain) == 0


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        ("a cat<lora:scarf:1>", "<lora:scarf:1> names a LoRA that is not in"),
        ("a cat<lora:hat:much>", "<lora:hat:much> has other values than one or two numbers"),
        ("a cat<hypernet:hat:1>", "a network of the kind hypernet, which works in the webui only"),
        ("a cat<lora:broken:1>", "broken.safetensors cannot be loaded"),
        ("a cat<lora:other:1>", "other.safetensors"),
        ("a <lora:hat:1> cat<lora:hat:0.5>", "name a network there once, or with the same values"),
    ],
)
def test_refused_with_a_sentence(pipe, tmp_path: Path, prompt: str, sentence: str) -> None:
    write_lora(tmp_path / "hat.safetensors", pipe)
    (tmp_path / "broken.safetensors").write_bytes(b"no tensors")
    save_file({"something.else": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(GenerationError) as caught:
        pictures(pipe, prompt)
    assert sentence in str(caught.value)


def test_no_folder_and_negative_prompts(pipe, tmp_path: Path) -> None:
    write_lora(tmp_path / "hat.safetensors", pipe)
    plan = Plan((Region("a cat", "a dog<lora:hat:1>"),), "1")
    with pytest.raises(GenerationError, match="<lora:hat:1> stands in a negative prompt"):
        pipe.generate(plan, **SMALL)
    pipe.lora_folder = None
    with pytest.raises(GenerationError, match="there is no folder to look in; give one by --lora-folder"):
        pictures(pipe, "a cat<lora:hat:1>")


def test_loaded_with_diffusers_own_function(pipe, tmp_path: Path) -> None:
    write_lora(tmp_path / "hat.safetensors", pipe)
    by_tag = pictures(pipe, "a cat", base_prompt="pets<lora:hat:1>")
    pipe.load_lora_weights(tmp_path, weight_name="hat.safetensors")
    assert grey_levels(by_tag, pictures(pipe, "a cat", base_prompt="pets")) <= 1
    with pytest.raises(GenerationError, match="LoRA of its own"):
        pictures(pipe, "a cat<lora:hat:1>")


@pytest.mark.parametrize("tag", ["<lora:hat:1>", "<lora:hat:1:0>", "<lora:hat:0:1>"])
def test_in_a_region_it_acts_there(pipe, tmp_path: Path, tag: str) -> None:
    """Regions that are denoised by themselves have nothing else in common."""
    write_wide_lora(tmp_path / "hat.safetensors", pipe)

    def halves(left: str, right: str) -> Any:
        plan = Plan((Region(left), Region(right)), "1,1", latent_ratio=1)
        return pipe.generate(plan, output_type="latent", **SMALL).images.chunk(2, dim=-1)

    plain, whole = halves("a cat", "a dog"), halves(f"a cat{tag}", f"a dog{tag}")
    for place, prompts in enumerate(((f"a cat{tag}", "a dog"), ("a cat", f"a dog{tag}"))):
        made = halves(*prompts)
        torch.testing.assert_close(made[place], whole[place], rtol=1e-3, atol=1e-3)
        assert not torch.allclose(made[place], plain[place], atol=1e-2)
        assert torch.equal(made[1 - place], plain[1 - place])
    assert all(map(torch.equal, halves("a cat", "a dog"), plain))


@pytest.mark.parametrize("kind", ["sd1", "sd2", "sdxl"])
@pytest.mark.parametrize("latent_ratio", [0, 0.5])
def test_identity_law(kind: str, latent_ratio: float, tmp_path: Path) -> None:
    """In every region, with weights that differ too little to be seen, it is what it is in the base prompt."""
    pipe = regional(kind)
    pipe.lora_folder = tmp_path
    write_wide_lora(tmp_path / "hat.safetensors", pipe)

    def pictures(left: str, right: str, base: str) -> Any:
        plan = Plan((Region(f"a cat{left}"), Region(f"a dog{right}")), "1,2", f"pets{base}", 0.3, latent_ratio=latent_ratio)
        return pipe.generate(plan, **SMALL).images

    plain = pictures("", "", "")
    merged = pictures("", "", "<lora:hat:0:0.8>")
    assert grey_levels(merged, plain) > 8
    assert grey_levels(pictures("<lora:hat:0:0.8>", "<lora:hat:0:0.800001>", ""), merged) <= 1
    everywhere = pictures("", "", "<lora:hat:0.8>")
    assert grey_levels(everywhere, merged) > 0  # the text encoder's part
    assert grey_levels(pictures("<lora:hat:0.8>", "<lora:hat:0.8>", ""), everywhere) == 0
    assert grey_levels(pictures("<lora:hat:0.3>", "<lora:hat:0.8>", "<lora:hat:0.8>"), everywhere) > 0


def test_a_region_says_another_weight_than_the_base_prompt(pipe, tmp_path: Path) -> None:
    """What it says holds in it, and none there is none at all."""
    write_wide_lora(tmp_path / "hat.safetensors", pipe)
    off = pictures(pipe, "a cat<lora:hat:0>", "a dog<lora:hat:0.0000001>", "pets<lora:hat:0:1>")
    assert grey_levels(off, pictures(pipe, "a cat", "a dog", "pets")) <= 1


@pytest.mark.parametrize("task", ["Img2Img", "Inpaint", "ControlNet"])
def test_identity_law_with_pictures_and_controls(task: str, tmp_path: Path) -> None:
    pipe, _ = made(regional("sd1"), "", task)
    pipe.lora_folder = tmp_path
    write_wide_lora(tmp_path / "hat.safetensors", pipe)

    def pictures(left: str, right: str, base: str) -> Any:
        plan = Plan((Region(f"a cat{left}"), Region(f"a dog{right}")), "1,2", f"pets{base}", 0.3, latent_ratio=0.5)
        return pipe.generate(plan, seed=7, **SETTINGS, **inputs(task)).images

    merged = pictures("", "", "<lora:hat:0:0.8>")
    assert grey_levels(merged, pictures("", "", "")) > 8
    assert grey_levels(pictures("<lora:hat:0:0.8>", "<lora:hat:0:0.800001>", ""), merged) <= 1
