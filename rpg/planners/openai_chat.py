"""OpenAI, and every server that speaks its chat completions protocol."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace
from typing import Any

from rpg.planners import failures
from rpg.planners.asking import Call, Emit
from rpg.planners.registry import is_loopback

CONNECT_TIMEOUT = 10.0

_refused: set[tuple[str, str, str]] = set()
"""Options that a server did not take, by address and model."""


def ask(call: Call, emit: Emit) -> str:
    """Stream the answer; a server that refuses streams or schemas is asked without them."""
    import httpx
    import openai

    client = openai.OpenAI(
        api_key=call.key or "none",
        base_url=call.url,
        timeout=httpx.Timeout(call.request.timeout, connect=CONNECT_TIMEOUT),
        max_retries=0,
        default_headers=_headers(call),
        http_client=httpx.Client(trust_env=False) if is_loopback(call.url) else None,  # proxies are not for this machine
    )
    call.closers.append(client.close)
    options: dict[str, Any] = {"stream": True}
    if call.schema:
        schema = {"name": "plan", "strict": True, "schema": call.schema}
        options["response_format"] = {"type": "json_schema", "json_schema": schema}
    options = {name: value for name, value in options.items() if (call.url, call.model, name) not in _refused}
    try:
        while True:
            try:
                return _complete(client, call, emit, options)
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                name = next((name for name in options if name in str(error)), None)
                if name is None:
                    raise
                emit("status", f"{call.label} does not take {name}; asking without it.")
                _refused.add((call.url, call.model, name))
                del options[name]
    except (openai.APITimeoutError, httpx.TimeoutException):
        raise failures.silent(call) from None
    except openai.APIConnectionError as error:
        raise failures.unreachable(call, str(error.__cause__ or error)) from None
    except openai.APIStatusError as error:
        body = error.body if isinstance(error.body, dict) else {}
        message, code = str(body.get("message") or error.message), str(body.get("code") or "")
        raise failures.refused(call, error.status_code, message, error.response.headers, code) from None
    except openai.APIError as error:  # reported inside a stream
        raise failures.broken_off(call, error.message) from None
    except httpx.TransportError:
        raise failures.broken_off(call) from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise failures.not_the_protocol(call, "something that is no JSON") from None
    finally:
        client.close()


def _complete(client: Any, call: Call, emit: Emit, options: dict[str, Any]) -> str:
    response = client.chat.completions.create(model=call.model, messages=_messages(call), **options)
    if not options.get("stream"):
        return _whole(response, call, emit)
    call.closers.append(response.close)
    with response:
        return _stream(response, call, emit)


def _stream(response: Any, call: Call, emit: Emit) -> str:
    content_type = response.response.headers.get("content-type", "")
    if "html" in content_type:
        raise failures.not_the_protocol(call, "a web page")
    if "application/json" in content_type:  # the server does not stream
        body = response.response.read().decode()
        return _whole(json.loads(body, object_hook=lambda item: SimpleNamespace(**item)), call, emit)
    finish = ""
    refusal = ""
    for chunk in response:
        for choice in getattr(chunk, "choices", None) or ():
            finish = choice.finish_reason or finish
            refusal += _emit_parts(choice.delta, emit)
    return _remark(call, finish, refusal) if finish or refusal else "The connection may have broken off before the end."


def _whole(completion: Any, call: Call, emit: Emit) -> str:
    """An answer in one piece."""
    choices = getattr(completion, "choices", None)
    if not choices:
        if error := getattr(completion, "error", None):
            raise failures.broken_off(call, str(getattr(error, "message", error)))
        raise failures.not_the_protocol(call, "a web page" if "<html" in str(completion).lower() else "no choices")
    refusal = _emit_parts(choices[0].message, emit)
    return _remark(call, getattr(choices[0], "finish_reason", None) or "", refusal)


def _emit_parts(message: Any, emit: Emit) -> str:
    """Pass on the thoughts and the text of a message or a piece of one; returns its refusal."""
    thoughts = [getattr(message, name, None) for name in ("reasoning_content", "reasoning")]
    emit("reasoning", next((thought for thought in thoughts if thought and isinstance(thought, str)), ""))
    emit("text", getattr(message, "content", None) or "")
    return getattr(message, "refusal", None) or ""


def _remark(call: Call, finish: str, refusal: str) -> str:
    if refusal or finish == "content_filter":
        raise failures.declined(call, refusal or "content filter")
    return failures.CUT if finish == "length" else ""


def _messages(call: Call) -> list[dict[str, Any]]:
    """The instructions go into a user message, because some reasoning models refuse system messages."""
    messages: list[dict[str, Any]] = [{"role": role, "content": text} for role, text in call.messages]
    if call.request.image:
        picture = {"type": "image_url", "image_url": {"url": call.request.picture_url}}
        messages[0]["content"] = [{"type": "text", "text": messages[0]["content"]}, picture]
    return messages


def _headers(call: Call) -> dict[str, Any]:
    """Omit the headers that the library takes from the environment wherever OpenAI is not asked: they are meant for OpenAI."""
    import openai

    if call.provider.name == "openai" and call.url == call.provider.base_url:
        return {}
    custom = [line.partition(":")[0].strip() for line in os.environ.get("OPENAI_CUSTOM_HEADERS", "").split("\n")]
    names = ["OpenAI-Organization", "OpenAI-Project", *filter(None, custom)]
    return {name: openai.Omit() for name in names} | {"Authorization": f"Bearer {call.key or 'none'}"}
