"""The benchmark compares like with like, and writes what it finds."""

from pathlib import Path

import pytest
import torch

from rpg.areas.layout import Layout
from rpg.steering.conditioning import join_pair
from tests.benchmarks import models, speed
from tests.benchmarks.methods import METHODS


@torch.no_grad()
@pytest.mark.parametrize("base_ratio", [0.0, 0.4])
def test_all_methods_give_the_same_numbers(base_ratio: float) -> None:
    torch.manual_seed(0)
    unet = models.build("tiny", "cpu", torch.float32)
    layout, inputs = Layout.parse("1,1,1;1,2,1"), models.inputs(unet, 128)
    negative, *positive = models.prompts(unet, 6)
    joined, joined_negative = join_pair(positive, [negative] * 5)
    outputs = {}
    for name, method in METHODS.items():
        with method(unet, layout, base_ratio, joined.table, (16, 16)):
            outputs[name] = unet(**inputs, encoder_hidden_states=torch.cat([joined_negative.context, joined.context])).sample
    plain = unet(**inputs, encoder_hidden_states=torch.cat([negative, positive[0]])).sample
    assert (outputs["ours"] - plain).abs().max() > 0.01
    for name in ("published", "masked"):
        torch.testing.assert_close(outputs[name], outputs["ours"], rtol=1e-3, atol=1e-4)


def test_writes_a_section_in_place_of_its_older_self(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "speed.md"
    monkeypatch.setattr(torch, "set_num_threads", lambda _count: None)
    for regions in ("1", "2"):
        arguments = ["speed", "--models", "tiny", "--sizes", "64", "--device", "cpu", "--rounds", "1", "--methods", "ours"]
        monkeypatch.setattr("sys.argv", [*arguments, "--regions", regions, "--base-ratios", "0.4", "--out", str(out)])
        speed.main()
    text = out.read_text()
    assert text.count("## tiny, 64x64") == 1
    assert "| ours | 2 | 0.4 |" in text
    assert "| ours | 1 | 0.4 |" not in text
