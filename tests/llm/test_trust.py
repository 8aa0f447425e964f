"""Where no question goes, and what only the administrator may name."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from rpg.errors import LLMError
from rpg.llm import Compatible, Gemini, OpenAI, Transformers, trust
from tests.llm.asked import asked, question
from tests.llm.servers import PLAN, serve, status, streamed, whole


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "_others", False)
    trust.serve_others()


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.1.2:8080",
        "[fe80::1]",
        "[::ffff:169.254.169.254]",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "2852039166",  # the first once more
        "0xA9.0xFE.0xA9.0xFE",
    ],
)
def test_a_machines_own_secrets_are_out_of_reach(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"http://{host}/v1"
    monkeypatch.setenv(trust.ALLOWED_URLS, url)
    with pytest.raises(LLMError, match=r"base_url leads to [\w:.]+, which no planner may ask") as caught:
        asked(Compatible.at(base_url=url), question())
    assert caught.value.status_code == 403


def test_a_name_may_not_lead_there_either(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(host: str, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (place, 0)) for place in ("93.184.215.14", "169.254.169.254")]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(LLMError, match="leads to 169.254.169.254"):
        asked(Compatible.at(base_url="http://harmless.example/v1"), question())


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "http://192.168.1.5/v1", "http://no-such-host.invalid/v1", ""])
def test_the_rest_of_the_network_is_fine(url: str) -> None:
    trust.check_target(url)


def test_a_server_may_not_send_on_to_another() -> None:
    with serve(streamed()) as other:
        for target in (other.url + "/v1/chat/completions", "https://example.com/", "//example.com/"):
            with serve(status(307, "", location=target)) as server:
                with pytest.raises(LLMError, match=rf"{server.url} sends on to https?://[\w.:]+; if that is right, give it"):
                    asked(Compatible.at(base_url=server.url + "/v1", api_key="sk-mine"), question())
                with pytest.raises(LLMError, match="answered with another address instead of a model's answer"):
                    asked(Gemini.at(base_url=server.url, api_key="sk-mine"), question())
        assert not other.received


def test_it_may_send_on_within_itself() -> None:
    with serve(status(307, "", location="/v1/chat/completions"), whole()) as server:
        assert asked(Compatible.at(base_url=server.url + "/wrong"), question()).text == PLAN
        assert [received.path for received in server.received] == ["/wrong/chat/completions", "/v1/chat/completions"]


def test_where_others_can_ask_base_urls_need_the_administrators_list(others: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LLMError, match="Other machines can reach this server.*RPG_PLANNER_URLS") as caught:
        Compatible.at(base_url="http://127.0.0.1:1/v1")
    assert caught.value.status_code == 403
    assert OpenAI.at(api_key="k").url == OpenAI.base_url
    monkeypatch.setenv(trust.ALLOWED_URLS, "http://127.0.0.1:1")
    assert Compatible.at(base_url="http://127.0.0.1:1/v1").url == "http://127.0.0.1:1/v1"


def test_where_others_can_ask_models_lie_in_the_administrators_folder(
    others: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "models" / "inside"
    for folder in (outside, inside):
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps({}))
    for root in ("", str(tmp_path / "models")):
        monkeypatch.setenv(trust.MODEL_FOLDER, root)
        for model in (str(outside), "../outside", "/etc"):
            with pytest.raises(LLMError, match="local models must lie in the folder .* RPG_LLM_FOLDER names"):
                asked(Transformers.at(model), question())
    assert trust.model_folder("inside") == str(inside)
    (tmp_path / "models" / "link").symlink_to(outside)
    with pytest.raises(LLMError, match="local models must lie"):
        trust.model_folder("link")
