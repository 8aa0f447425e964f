from pathlib import Path

import yaml
from safetensors import safe_open
from transformers import CLIPTextConfig, CLIPTokenizer

from rpg import shapes


def test_installed_beside_a_yaml_that_names_the_clip_folder(tmp_path: Path) -> None:
    checkpoint = shapes.install(tmp_path / "models" / "Stable-diffusion")
    assert checkpoint.read_bytes() == shapes.CHECKPOINT.read_bytes()
    config = yaml.safe_load(checkpoint.with_suffix(".yaml").read_text())
    clip = config["model"]["params"]["cond_stage_config"]["params"]["version"]
    assert Path(clip) == shapes.CLIP
    assert CLIPTokenizer.from_pretrained(clip)("red circle").input_ids == [49406, 736, 7117, 49407]


def test_the_clip_folder_describes_the_text_encoder_in_the_checkpoint() -> None:
    config = CLIPTextConfig.from_pretrained(shapes.CLIP)
    assert config.to_dict() == CLIPTextConfig.from_pretrained(shapes.CONFIG / "text_encoder").to_dict()
    with safe_open(shapes.CHECKPOINT, framework="pt") as file:
        weight = file.get_slice("cond_stage_model.transformer.text_model.embeddings.token_embedding.weight")
        assert weight.get_shape() == [config.vocab_size, config.hidden_size]
