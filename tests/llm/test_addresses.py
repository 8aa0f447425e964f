"""Where questions go, and which key goes with them."""

import pytest

from rpg.errors import LLMError
from rpg.llm import Compatible, Gemini, OpenAI
from rpg.llm.addresses import is_loopback
from rpg.llm.trust import ALLOWED_URLS
from tests.llm.asked import asked, question
from tests.llm.servers import serve, streamed

SECRET = "sk-secret-of-the-server"


def test_the_environment_key_goes_to_the_provider_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f" {SECRET}\n")
    for own in ("", "https://api.openai.com/v1", "https://api.openai.com/v1/"):
        assert OpenAI.at(base_url=own).key == SECRET
    for other in (
        "https://api.openai.com/v2",
        "http://api.openai.com/v1",
        "https://api.openai.com.evil.example/v1",
        "https://api.openai.com:444/v1",
        "https://API.openai.com/v1",
        "https://api.openai.com/v1/../x",
        "http://127.0.0.1:1/v1",
    ):
        assert OpenAI.at(base_url=other).key == ""


def test_the_questions_key_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    assert OpenAI.at(api_key=" sk-mine ").key == "sk-mine"
    assert OpenAI.at(base_url="http://127.0.0.1:1/v1", api_key="sk-mine").key == "sk-mine"


def test_the_second_environment_variable_of_gemini(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", SECRET)
    assert Gemini.at().key == SECRET


def test_an_environment_key_reaches_its_own_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with serve(streamed()) as server:
        monkeypatch.setattr(OpenAI, "base_url", server.url + "/v1")
        asked(OpenAI.at(), question())
        assert server.received[0].headers["authorization"] == f"Bearer {SECRET}"


def test_a_key_is_not_shown() -> None:
    assert "sk-mine" not in repr(OpenAI.at(api_key="sk-mine"))


def test_a_missing_key_says_where_to_put_it() -> None:
    with pytest.raises(LLMError, match="OpenAI needs a key; fill in api_key or set the environment variable OPENAI_API_KEY"):
        OpenAI.at()


@pytest.mark.parametrize("key", ["sk-ключ", "sk-a b", "sk-a\nX-Header: 1", "x" * 1001])
def test_a_key_that_cannot_be_one(key: str) -> None:
    with pytest.raises(LLMError) as caught:
        OpenAI.at(api_key=key)
    assert str(caught.value) == "api_key holds characters that no key has; paste it again."


def test_a_missing_address_says_what_it_looks_like() -> None:
    with pytest.raises(LLMError, match=r"base_url is empty; .* http://127.0.0.1:11434/v1 for Ollama"):
        Compatible.at()


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
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(LLMError, match="base_url must be an address such as"):
        Compatible.at(base_url=url)


@pytest.mark.parametrize(
    "pasted", ["/v1/chat/completions", "/v1/models", "/v1/completions/", "/v1/responses", "/v1/", "/v1//", "/v1"]
)
def test_an_address_pasted_too_far_is_cut(pasted: str) -> None:
    assert Compatible.at(base_url=f" http://host:1234{pasted} ").url == "http://host:1234/v1"


def test_azures_version_stays_with_the_address() -> None:
    deployment = "https://mine.openai.azure.com/openai/deployments/gpt-4o"
    version = "?api-version=2024-10-21"
    assert Compatible.at(base_url=f"{deployment}/chat/completions{version}").url == deployment + version
    with pytest.raises(LLMError, match="a version looks like"):
        Compatible.at(base_url=f"{deployment}?api-version=1&key=2")


def test_an_address_with_a_password_is_not_repeated() -> None:
    with pytest.raises(LLMError, match="must not hold a name or password") as caught:
        Compatible.at(base_url="http://me:hush@host/v1")
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
def test_the_administrator_restricts_addresses(monkeypatch: pytest.MonkeyPatch, url: str, allowed: bool) -> None:
    monkeypatch.setenv(ALLOWED_URLS, "http://llm.local:8000/v1, https://other.example")
    if allowed:
        assert Compatible.at(base_url=url).url == url.rstrip("/")
        return
    with pytest.raises(LLMError, match="not among the addresses that the administrator") as caught:
        Compatible.at(base_url=url)
    assert caught.value.status_code == 403


def test_restricted_addresses_leave_the_providers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ALLOWED_URLS, "http://llm.local:8000/v1")
    assert OpenAI.at(api_key="k").url == "https://api.openai.com/v1"


def test_loopback() -> None:
    assert is_loopback("http://127.0.0.1:1/v1")
    assert is_loopback("http://localhost/v1")
    assert is_loopback("http://[::1]:80/v1")
    assert not is_loopback("http://127.0.0.1.example/v1")
    assert not is_loopback("http://example/127.0.0.1")
