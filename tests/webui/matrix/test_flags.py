"""The host's command line flags that work on a processor."""

from __future__ import annotations

import pytest

from tests.webui.host import Webui
from tests.webui.laws import check_identity, check_locality
from tests.webui.matrix.conftest import Hosts

FLAGS = [("--lowvram",), ("--medvram",), ("--opt-channelslast", "--opt-split-attention-v1")]


@pytest.fixture(scope="module", params=FLAGS, ids=" ".join)
def webui(hosts: Hosts, request: pytest.FixtureRequest) -> Webui:
    return hosts.get(request.param, ())


@pytest.mark.parametrize("model", ["shapes", "sd2-v", "sdxl"])
def test_flags(webui: Webui, model: str) -> None:
    webui.options(sd_model_checkpoint=model)
    check_identity(webui, steps=4, batch_size=2, negative_prompt="gray, " * 50)
    check_locality(webui, steps=1, calls=1)
    assert webui.get("/rpg-test/state")["patched"] == []
