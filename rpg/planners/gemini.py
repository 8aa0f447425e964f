"""Google Gemini with Google's own client, or where that is missing with OpenAI's at Gemini's compatible address.

The client is made directly: ``google.generativeai.configure`` would hold one key for the whole process, and would take one
from the environment where it is given none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rpg.errors import PlannerError
from rpg.planners import failures, openai_chat, packages
from rpg.planners.asking import Call, Emit

_FINE = ("", "STOP", "MAX_TOKENS", "OTHER")


def ask(call: Call, emit: Emit) -> str:
    """Stream the answer."""
    packages.use_folder()
    try:
        import requests
        from google.ai import generativelanguage
        from google.api_core import exceptions
        from google.protobuf.json_format import ParseError
    except ImportError:
        return openai_chat.ask(replace(call, url=f"{call.url}/v1beta/openai"), emit)

    client = generativelanguage.GenerativeServiceClient(
        client_options={"api_key": call.key or "none", "api_endpoint": call.url}, transport="rest"
    )
    try:
        chunks = client.stream_generate_content(request=_request(call), timeout=call.request.timeout, retry=None)
        finish = ""
        for chunk in chunks:
            if reason := chunk.prompt_feedback.block_reason:
                raise failures.declined(call, _name(reason))
            for candidate in chunk.candidates:
                emit("text", "".join(part.text for part in candidate.content.parts))
                finish = _name(candidate.finish_reason) if candidate.finish_reason else finish
    except exceptions.GoogleAPICallError as error:
        raise _refused(call, error) from None
    except requests.exceptions.ChunkedEncodingError:
        raise failures.broken_off(call) from None
    except (requests.exceptions.Timeout, requests.exceptions.ConnectionError) as error:
        raise failures.silent(call) if "timed out" in str(error) else failures.unreachable(call, type(error).__name__) from None
    except (ValueError, ParseError) as error:
        raise _unreadable(call, error) from None
    if finish not in _FINE:
        raise failures.declined(call, finish)
    return failures.CUT if finish == "MAX_TOKENS" else ""


def _name(reason: Any) -> str:
    """The name of an enum's value; one that is newer than the client arrives as a number."""
    return str(getattr(reason, "name", reason))


def _request(call: Call) -> dict[str, Any]:
    roles = {"user": "user", "assistant": "model"}
    contents: list[dict[str, Any]] = [{"role": roles[role], "parts": [{"text": text}]} for role, text in call.messages]
    if call.request.image:
        media_type, data = call.request.picture
        contents[0]["parts"].append({"inline_data": {"mime_type": media_type, "data": data}})
    model = call.model if "/" in call.model else f"models/{call.model}"
    request: dict[str, Any] = {"model": model, "contents": contents}
    if call.schema:
        request["generation_config"] = {"response_mime_type": "application/json", "response_schema": _schema(call.schema)}
    return request


def _schema(schema: dict[str, Any]) -> dict[str, Any]:
    """JSON schema in Google's dialect."""
    result: dict[str, Any] = {"type_": schema["type"].upper()}
    if "items" in schema:
        result["items"] = _schema(schema["items"])
    if "properties" in schema:
        result["properties"] = {name: _schema(value) for name, value in schema["properties"].items()}
        result["required"] = schema["required"]
    return result


def _refused(call: Call, error: Any) -> PlannerError:
    headers = dict(getattr(error.response, "headers", None) or {})
    delay = next((detail["retryDelay"] for detail in error.details if isinstance(detail, dict) and "retryDelay" in detail), None)
    if isinstance(delay, str):
        headers["retry-after"] = delay.removesuffix("s")
    message = error.message.partition(": ")[2] or error.message  # the client writes the address before it
    return failures.refused(call, int(error.code or 500), message, {name.lower(): value for name, value in headers.items()})


def _unreadable(call: Call, error: Exception) -> PlannerError:
    if str(error).startswith("Unfinished stream"):
        return failures.broken_off(call)
    return failures.not_the_protocol(call, "something else")
