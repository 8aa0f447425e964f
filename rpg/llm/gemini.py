"""Google Gemini with Google's own client, or where that is missing with OpenAI's at Gemini's compatible address.

The client is made directly: ``google.generativeai.configure`` would hold one key for the whole process, and would take one
from the environment where it is given none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rpg.errors import LLMError
from rpg.llm import failures, packages
from rpg.llm.openai_chat import ChatCompletions
from rpg.llm.provider import Channel, Provider
from rpg.llm.question import Message, Question

_FINE = ("", "STOP", "MAX_TOKENS", "OTHER")


class Gemini(Provider):
    name = "gemini"
    label = "Google Gemini"
    package = "openai"
    models = ("gemini-2.5-flash", "gemini-2.5-pro", "gemini-2.0-flash")
    base_url = "https://generativelanguage.googleapis.com"
    needs_key = True
    key_env = ("GEMINI_API_KEY", "GOOGLE_API_KEY")

    @classmethod
    def why_not(cls) -> str:
        return "" if packages.gemini_is_installed() else super().why_not()

    def ask(self, question: Question, channel: Channel) -> str:
        """Stream the answer."""
        packages.use_folder()
        try:
            import requests
            from google.ai import generativelanguage
            from google.api_core import exceptions
            from google.protobuf.json_format import ParseError
        except ImportError:
            return _CompatibleGemini(self.model, f"{self.url}/v1beta/openai", self.key).ask(question, channel)

        client = generativelanguage.GenerativeServiceClient(
            client_options={"api_key": self.key or "none", "api_endpoint": self.url}, transport="rest"
        )
        client.transport._session.max_redirects = 0  # a key in the header would go along
        try:
            chunks = client.stream_generate_content(request=_request(self.model, question), timeout=question.timeout, retry=None)
            finish = ""
            for chunk in chunks:
                if used := chunk.usage_metadata:
                    channel.usage = used.prompt_token_count, used.candidates_token_count
                if reason := chunk.prompt_feedback.block_reason:
                    raise failures.declined(self, _name(reason))
                for candidate in chunk.candidates:
                    channel.emit("text", "".join(part.text for part in candidate.content.parts))
                    finish = _name(candidate.finish_reason) if candidate.finish_reason else finish
        except exceptions.GoogleAPICallError as error:
            raise _refused(self, error, question.has_pictures) from None
        except requests.exceptions.TooManyRedirects:
            raise failures.not_the_protocol(self, "another address") from None
        except requests.exceptions.ChunkedEncodingError:
            raise failures.broken_off(self) from None
        except (requests.exceptions.Timeout, requests.exceptions.ConnectionError) as error:
            if "timed out" in str(error):
                raise failures.silent(self, question.timeout) from None
            raise failures.unreachable(self, type(error).__name__) from None
        except (ValueError, ParseError) as error:
            raise _unreadable(self, error) from None
        if finish not in _FINE:
            raise failures.declined(self, finish)
        return failures.CUT if finish == "MAX_TOKENS" else ""


class _CompatibleGemini(ChatCompletions):
    name, label, models, key_env = Gemini.name, Gemini.label, Gemini.models, Gemini.key_env
    takes_bounds = False


def _name(reason: Any) -> str:
    """The name of an enum's value; one that is newer than the client arrives as a number."""
    return str(getattr(reason, "name", reason))


def _request(model: str, question: Question) -> dict[str, Any]:
    model = model if "/" in model else f"models/{model}"
    config: dict[str, Any] = {}
    if question.schema:
        config |= {"response_mime_type": "application/json", "response_schema": _schema(question.schema)}
    if question.max_tokens:
        config["max_output_tokens"] = question.max_tokens
    contents = [_content(message) for message in question.messages]
    return {"model": model, "contents": contents, "generation_config": config}


def _content(message: Message) -> dict[str, Any]:
    pictures = [{"inline_data": {"mime_type": picture.media_type, "data": picture.data}} for picture in message.pictures]
    return {"role": "model" if message.role == "assistant" else "user", "parts": [{"text": message.text}, *pictures]}


def _schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """JSON schema in Google's dialect."""
    result: dict[str, Any] = {"type_": schema["type"].upper()}
    if "items" in schema:
        result["items"] = _schema(schema["items"])
    if "maxItems" in schema:
        result["max_items"] = schema["maxItems"]
    if "properties" in schema:
        result["properties"] = {name: _schema(value) for name, value in schema["properties"].items()}
        result["required"] = schema["required"]
    return result


def _refused(provider: Provider, error: Any, pictures: bool) -> LLMError:
    headers = dict(getattr(error.response, "headers", None) or {})
    delay = next((detail["retryDelay"] for detail in error.details if isinstance(detail, dict) and "retryDelay" in detail), None)
    if isinstance(delay, str):
        headers["retry-after"] = delay.removesuffix("s")
    message = error.message.partition(": ")[2] or error.message  # the client writes the address before it
    headers = {name.lower(): value for name, value in headers.items()}
    return failures.refused(provider, int(error.code or 500), message, headers, pictures=pictures)


def _unreadable(provider: Provider, error: Exception) -> LLMError:
    if str(error).startswith("Unfinished stream"):
        return failures.broken_off(provider)
    return failures.not_the_protocol(provider, "something else")
