"""Who can plan, and what each needs."""

import dataclasses
import importlib.metadata
import importlib.util
import json

import pytest

from rpg.errors import LLMError
from rpg.llm import packages
from rpg.planners import PLANNERS, Planner, PlanRequest, Subject, known_planners, make_plan

SECRET = "sk-secret-of-the-server"


def test_the_list_is_json_and_names_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", SECRET)
    infos = {info.name: info for info in known_planners()}
    assert tuple(infos) == PLANNERS
    assert list(infos) == ["rules", "openai", "deepseek", "gemini", "compatible", "transformers"]
    text = json.dumps([dataclasses.asdict(info) for info in infos.values()])
    assert SECRET not in text
    assert (infos["openai"].needs_key, infos["openai"].key_env, infos["openai"].has_server_key) == (True, "OPENAI_API_KEY", False)
    assert infos["deepseek"].has_server_key
    assert infos["compatible"].needs_base_url
    assert not infos["rules"].needs_key
    assert all(info.available and not info.why_not for info in infos.values())


def test_a_missing_package_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in ("openai", "google.ai") else find(name))
    monkeypatch.setattr(packages, "gemini_is_installed", lambda: True)
    infos = {info.name: info for info in known_planners()}
    assert infos["openai"].why_not == "The package openai is not installed; run: pip install 'openai>=1.55.3,<3'."
    assert infos["gemini"].available
    assert infos["rules"].available
    with pytest.raises(LLMError, match="package openai is not installed"):
        make_plan(PlanRequest(Subject("a cat"), Planner("openai", api_key=SECRET)))


def test_an_old_package_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.28.1")
    assert "openai 0.28.1 is too old; run: pip install" in {info.name: info for info in known_planners()}["compatible"].why_not


def test_gemini_needs_one_of_two_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "openai" else find(name))
    monkeypatch.setattr(packages, "gemini_is_installed", lambda: False)
    assert not {info.name: info for info in known_planners()}["gemini"].available
