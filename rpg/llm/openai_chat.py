"""OpenAI, and every server that speaks its chat completions protocol."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

from rpg.errors import LLMError
from rpg.llm import chat_answers, chat_options, failures, trust
from rpg.llm.addresses import CONNECT_TIMEOUT, is_loopback
from rpg.llm.provider import Channel, Provider
from rpg.llm.question import Message, Question


class ChatCompletions(Provider):
    """A server that speaks the protocol."""

    package = "openai"
    limit_option: ClassVar[str] = "max_tokens"

    def ask(self, question: Question, channel: Channel) -> str:
        """Stream the answer; a server that refuses streams or schemas is asked without them."""
        with self._client(question.timeout, question.has_pictures) as client:
            channel.closers.append(client.close)
            return self._without_what_is_refused(client, question, channel)

    def list_models(self) -> list[str]:
        trust.check_target(self.url)
        with self._client(CONNECT_TIMEOUT) as client:
            return self._models(client)

    def _models(self, client: Any) -> list[str]:
        return sorted(str(model.id) for model in client.models.list(extra_headers=self._headers()).data or ())

    @contextmanager
    def _client(self, timeout: float, pictures: bool = False) -> Iterator[Any]:
        """The library's client, with its errors as sentences."""
        import httpx
        import openai

        address, _, version = self.url.partition("?api-version=")
        client = openai.OpenAI(
            api_key=self.key or "none",
            base_url=address,
            default_query={"api-version": version} if version else None,
            timeout=httpx.Timeout(timeout, connect=CONNECT_TIMEOUT),
            max_retries=0,
            http_client=httpx.Client(
                trust_env=not is_loopback(self.url),  # proxies are not for this machine
                follow_redirects=True,
                event_hooks={"response": [_check_redirect]},
            ),
        )
        try:
            yield client
        except (openai.APITimeoutError, httpx.TimeoutException) as error:
            if isinstance(error.__cause__, httpx.ConnectTimeout):
                raise failures.unreachable(self, f"no connection within {CONNECT_TIMEOUT:g} s") from None
            raise failures.silent(self, timeout) from None
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, LLMError):
                raise error.__cause__ from None
            raise failures.unreachable(self, str(error.__cause__ or error)) from None
        except openai.APIStatusError as error:
            body = error.body if isinstance(error.body, dict) else {}
            message, code = str(body.get("message") or error.message), str(body.get("code") or "")
            models: list[str] = []
            with suppress(Exception):  # it is only to help the user
                models = self._models(client) if error.status_code == 404 else []
            headers = error.response.headers
            raise failures.refused(
                self, error.status_code, message, headers, code=code, pictures=pictures, models=models
            ) from None
        except openai.APIError as error:  # reported inside a stream
            raise failures.broken_off(self, error.message) from None
        except httpx.TransportError:
            raise failures.broken_off(self) from None
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise failures.not_the_protocol(self, "something that is no JSON") from None
        finally:
            client.close()

    def _without_what_is_refused(self, client: Any, question: Question, channel: Channel) -> str:
        import openai

        options = chat_options.options_for(self, question, self.limit_option)
        dropped = []
        while True:
            try:
                remark = self._complete(client, question, channel, options)
            except openai.APIStatusError as error:
                name = chat_options.refused_by(error, options)
                if name is None:
                    raise
                channel.emit("status", f"{self.short_label} does not take {name}; asking without it.")
                chat_options.drop(options, name)
                dropped.append(name)
            else:
                chat_options.remember(self, dropped)
                return remark

    def _complete(self, client: Any, question: Question, channel: Channel, options: dict[str, Any]) -> str:
        messages = [_message(message) for message in question.messages]
        response = client.chat.completions.create(model=self.model, messages=messages, extra_headers=self._headers(), **options)
        if not options.get("stream"):
            return chat_answers.read_whole(self, response, channel)
        channel.closers.append(response.close)
        with response:
            return chat_answers.read_stream(self, response, channel)

    def _headers(self) -> dict[str, Any]:
        """Omit the headers that the library takes from the environment for OpenAI; :class:`OpenAI` keeps them."""
        import openai

        custom = [line.partition(":")[0].strip() for line in os.environ.get("OPENAI_CUSTOM_HEADERS", "").split("\n")]
        names = ["OpenAI-Organization", "OpenAI-Project", *filter(None, custom)]
        omitted = {name: openai.Omit() for name in names}
        if "?api-version=" in self.url:
            return omitted | {"Authorization": openai.Omit(), "api-key": self.key or "none"}
        return omitted | {"Authorization": f"Bearer {self.key or 'none'}"}


class OpenAI(ChatCompletions):
    name = "openai"
    label = "OpenAI"
    models = ("gpt-4o", "gpt-4.1", "o3", "o4-mini", "gpt-5")
    base_url = "https://api.openai.com/v1"
    needs_key = True
    key_env = ("OPENAI_API_KEY",)
    takes_bounds = False
    limit_option = "max_completion_tokens"  # the o-series refuses max_tokens

    def _headers(self) -> dict[str, Any]:
        return {} if self.url == self.base_url else super()._headers()


class DeepSeek(ChatCompletions):
    name = "deepseek"
    label = "DeepSeek"
    models = ("deepseek-reasoner", "deepseek-chat")
    base_url = "https://api.deepseek.com"
    needs_key = True
    key_env = ("DEEPSEEK_API_KEY",)
    sees_pictures = False
    takes_schema = False


class Compatible(ChatCompletions):
    name = "compatible"
    label = "OpenAI-compatible server (Ollama, LM Studio, vLLM, llama.cpp)"
    models = ("qwen2.5vl", "llava", "llama3.1", "gemma3")
    needs_base_url = True
    takes_examples = False
    max_tokens = 8192  # servers on small machines write on for minutes


def _check_redirect(response: Any) -> None:
    if response.has_redirect_location:
        target = str(response.url.join(response.headers["location"]))
        trust.check_redirect(str(response.url), target)


def _message(message: Message) -> dict[str, Any]:
    if not message.pictures:
        return {"role": message.role, "content": message.text}
    pictures = [{"type": "image_url", "image_url": {"url": picture.url}} for picture in message.pictures]
    return {"role": message.role, "content": [{"type": "text", "text": message.text}, *pictures]}
