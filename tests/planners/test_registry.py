"""Who can plan, where requests go, and which key goes with them."""

import dataclasses
import importlib.metadata
import importlib.util
import json

import pytest

from rpg.errors import PlannerError
from rpg.planners import ALLOWED_URLS, PROVIDERS, PlanRequest, make_plan, packages, providers
from rpg.planners.registry import address, is_loopback, key_for
from tests.planners.servers import serve, streamed

SECRET = "sk-secret-of-the-server"


def request(provider: str = "openai", **values: object) -> PlanRequest:
    return PlanRequest("a cat", provider=provider, **values)


def test_the_list_is_json_and_names_what_is_needed(monkeypatch):
    monkeypatch.setenv("DEEPSEEK_API_KEY", SECRET)
    infos = {info.name: info for info in providers()}
    assert list(infos) == ["rules", "openai", "deepseek", "gemini", "compatible", "transformers"]
    text = json.dumps([dataclasses.asdict(info) for info in infos.values()])
    assert SECRET not in text
    assert (infos["openai"].needs_key, infos["openai"].key_env, infos["openai"].has_server_key) == (True, "OPENAI_API_KEY", False)
    assert infos["deepseek"].has_server_key
    assert infos["compatible"].needs_base_url
    assert not infos["rules"].needs_key
    assert all(info.available and not info.why_not for info in infos.values())


def test_a_missing_package_is_said(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in ("openai", "google.ai") else find(name))
    monkeypatch.setattr(packages, "gemini_is_installed", lambda: True)
    infos = {info.name: info for info in providers()}
    assert infos["openai"].why_not == "The package openai is not installed; run: pip install 'openai>=1.55.3,<3'."
    assert infos["gemini"].available
    assert infos["rules"].available
    with pytest.raises(PlannerError, match="package openai is not installed"):
        make_plan(request(api_key=SECRET))


def test_an_old_package_is_said(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.28.1")
    assert "openai 0.28.1 is too old; run: pip install" in {info.name: info for info in providers()}["compatible"].why_not


def test_gemini_needs_one_of_two_packages(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "openai" else find(name))
    monkeypatch.setattr(packages, "gemini_is_installed", lambda: False)
    assert not {info.name: info for info in providers()}["gemini"].available


def test_an_unknown_provider():
    with pytest.raises(PlannerError, match=r"provider is 'gpt'; it must be one of rules, openai, deepseek"):
        make_plan(request("gpt"))


def test_the_environment_key_goes_to_the_provider_only(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", f" {SECRET}\n")
    openai = PROVIDERS["openai"]
    for own in ("", "https://api.openai.com/v1", "https://api.openai.com/v1/"):
        assert key_for(openai, request(), address(openai, request(base_url=own))) == SECRET
    for other in (
        "https://api.openai.com/v2",
        "http://api.openai.com/v1",
        "https://api.openai.com.evil.example/v1",
        "https://api.openai.com:444/v1",
        "https://API.openai.com/v1",
        "https://api.openai.com/v1/../x",
        "http://127.0.0.1:1/v1",
    ):
        assert key_for(openai, request(), address(openai, request(base_url=other))) == ""


def test_the_requests_key_comes_first(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    openai = PROVIDERS["openai"]
    assert key_for(openai, request(api_key=" sk-mine "), openai.base_url) == "sk-mine"
    assert key_for(openai, request(api_key="sk-mine"), "http://127.0.0.1:1/v1") == "sk-mine"


def test_the_second_environment_variable_of_gemini(monkeypatch):
    monkeypatch.setenv("GOOGLE_API_KEY", SECRET)
    gemini = PROVIDERS["gemini"]
    assert key_for(gemini, request("gemini"), gemini.base_url) == SECRET


def test_an_environment_key_reaches_its_own_endpoint(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with serve(streamed()) as server:
        monkeypatch.setitem(PROVIDERS, "openai", dataclasses.replace(PROVIDERS["openai"], base_url=server.url + "/v1"))
        make_plan(request())
        assert server.received[0].headers["authorization"] == f"Bearer {SECRET}"


def test_a_missing_key_says_where_to_put_it():
    with pytest.raises(PlannerError, match="OpenAI needs a key; fill in api_key or set the environment variable OPENAI_API_KEY"):
        make_plan(request())


@pytest.mark.parametrize("key", ["sk-ключ", "sk-a b", "sk-a\nX-Header: 1", "x" * 1001])
def test_a_key_that_cannot_be_one(key: str):
    with pytest.raises(PlannerError) as caught:
        make_plan(request(api_key=key))
    assert str(caught.value) == "api_key holds characters that no key has; paste it again."


def test_a_missing_address_says_what_it_looks_like():
    with pytest.raises(PlannerError, match=r"base_url is empty; .* http://127.0.0.1:11434/v1 for Ollama"):
        make_plan(request("compatible"))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/v1",
        "127.0.0.1:11434",
        "http://",
        "http://host:port/v1",
        "http://host/v1?x=1",
        "file:///etc/passwd",
        "http://h\\@x/",
    ],
)
def test_an_address_that_is_none(url: str):
    with pytest.raises(PlannerError, match="base_url must be an address such as"):
        make_plan(request("compatible", base_url=url))


def test_an_address_with_a_password_is_not_repeated():
    with pytest.raises(PlannerError, match="must not hold a name or password") as caught:
        make_plan(request("compatible", base_url="http://me:hush@host/v1"))
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://llm.local:8000/v1", True),
        ("http://llm.local:8000/v1/", True),
        ("http://llm.local:8000/v1/deeper", True),
        ("http://llm.local:8000/v10", False),
        ("http://llm.local:8000/v1/../admin", False),
        ("http://llm.local:8001/v1", False),
        ("https://llm.local:8000/v1", False),
        ("http://llm.local.evil.example:8000/v1", False),
        ("https://other.example", True),
        ("https://other.example:443/any", True),
        ("https://169.254.169.254/latest", False),
    ],
)
def test_the_administrator_restricts_addresses(monkeypatch, url: str, allowed: bool):
    monkeypatch.setenv(ALLOWED_URLS, "http://llm.local:8000/v1, https://other.example")
    compatible = PROVIDERS["compatible"]
    if allowed:
        assert address(compatible, request("compatible", base_url=url)) == url.rstrip("/")
        return
    with pytest.raises(PlannerError, match="not among the addresses that the administrator") as caught:
        address(compatible, request("compatible", base_url=url))
    assert caught.value.status_code == 403


def test_restricted_addresses_leave_the_providers_alone(monkeypatch):
    monkeypatch.setenv(ALLOWED_URLS, "http://llm.local:8000/v1")
    assert address(PROVIDERS["openai"], request()) == "https://api.openai.com/v1"


def test_loopback():
    assert is_loopback("http://127.0.0.1:1/v1")
    assert is_loopback("http://localhost/v1")
    assert is_loopback("http://[::1]:80/v1")
    assert not is_loopback("http://127.0.0.1.example/v1")
    assert not is_loopback("http://example/127.0.0.1")
