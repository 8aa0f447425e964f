"""``python -m rpg plan``."""

import json

import pytest

from rpg.cli import main
from tests.llm.servers import PLAN, serve, streamed

KEY = "sk-needle-in-the-haystack"


def test_command_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    with serve(streamed(reasoning="Hm. ")) as server:
        arguments = ["plan", "a cat and a dog", "--planner", "compatible", "--model", "m", "--base-url", server.url]
        assert main([*arguments, "--key-variable", "MY_KEY", "--json"]) == 0
        assert server.received[0].headers["authorization"] == f"Bearer {KEY}"
        output = capsys.readouterr()
        assert json.loads(output.out)["split_ratio"] == "1,2"
        assert output.err.startswith("Asking OpenAI-compatible server (m).\nHm. " + PLAN)
        assert main(arguments) == 0
    assert capsys.readouterr().out == "Split ratio: 1,2\nRegion 1: a grey cat\nRegion 2: a brown dog\nBase ratio: 0\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--planner", "compatible"], "base_url is empty"),
        (["--planner", "openai", "--key-variable", "NO_SUCH_VARIABLE"], "NO_SUCH_VARIABLE is empty; put the key into it"),
        (["--planner", "openai", "--image", "missing.png"], "The picture missing.png cannot be read"),
        (["--planner", "openai"], "OPENAI_API_KEY"),
        (["--timeout", "-1"], "timeout is -1.0"),
    ],
)
def test_command_line_errors(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "a cat", *arguments]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert sentence in output.err
    assert output.err.count("\n") == 1


def test_the_offline_rules_in_the_place_of_a_wrong_answer(capsys: pytest.CaptureFixture[str]) -> None:
    with serve(streamed("No.")) as server:
        arguments = ["plan", "a cat and a dog", "--planner", "compatible", "--model", "m", "--base-url", server.url]
        assert main(arguments) != 0
        assert main([*arguments, "--fallback", "rules"]) == 0
    assert "Region 2: a dog" in capsys.readouterr().out
