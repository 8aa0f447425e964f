"""What a server's refusal means to the user, in one sentence that says what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from rpg.errors import BusyError, LLMError
from rpg.llm.provider import Provider

OFTEN = "it often ends in /v1"
_BLIND = re.compile(r"(?i)\b(?:images?|image_url|vision|multimodal|mmproj)\b")
_NO_CHAT = re.compile(r"v1/responses|not a chat model")


def refused(
    provider: Provider,
    status: int,
    message: str,
    headers: Mapping[str, str],
    *,
    code: str = "",
    pictures: bool,
    models: Sequence[str] = (),
) -> LLMError:
    """An HTTP status other than 200.

    Args:
        message, code: the server's own.
        pictures: whether there were any in the question.
        models: that the server has, where they are known.
    """
    label, model = provider.short_label, provider.model
    said = "" if not message or "<" in message[:200] else f" ({short(message)})"
    after = _retry_after(headers)
    if status == 401 or "api key not valid" in message.lower():
        where = f" or the environment variable {provider.key_env[0]}" if provider.key_env else ""
        sentence = f"{label} refused the key ({status}); check the API key{where}."
    elif code == "insufficient_quota" or status == 402:
        sentence = f"The quota of this {label} key is used up ({status}); check its billing or use another key."
    elif status == 503 and "loading" in message.lower():
        return BusyError(f"{label} is still loading {model} (503).", loading=True)
    elif _NO_CHAT.search(message):
        sentence = f"{model} does not answer chats ({status}){said}; use a chat model, such as {provider.models[0]}."
    elif status not in (403, 429) and pictures and _BLIND.search(message):
        sentence = f"{label} did not take the picture ({status}){said}; remove the image or use a model that sees pictures."
    elif "HTTP request was sent to HTTPS" in message or "HTTP request to an HTTPS" in message:
        sentence = f"{provider.url} speaks https; write https:// in base_url."
    elif status == 403:
        sentence = f"{label} does not allow this key to use {model} (403){said}; use another model or key."
    elif status == 404:
        where = "base_url" if urlsplit(provider.url).path else f"base_url ({OFTEN})"
        sentence = f"{label} has no model {model!r} at {provider.url} (404){said}; check model and {where}."
        if models:
            sentence = f"{label} has no model {model!r}; it has {short(', '.join(models))}."
    elif status == 429:
        wants = f" and asks to wait {after:.0f} s" if after is not None else ""
        return BusyError(f"{label} limits the rate of requests (429){wants}; try again later or use another model.", after)
    elif status in (408, 409) or status >= 500:
        return BusyError(f"{label} has a problem of its own ({status}){said}; try again later or use another provider.", after)
    else:
        sentence = f"{label} refused the request ({status}){said}; check model and options."
    return LLMError(sentence, 502)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait, given as a number or a date."""
    value = headers.get("retry-after", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(timezone.utc)).total_seconds()
        except (ValueError, TypeError, IndexError):
            return None
    return max(0.0, seconds)


def unreachable(provider: Provider, reason: str) -> LLMError:
    if "WRONG_VERSION_NUMBER" in reason or "RECORD_LAYER_FAILURE" in reason:
        return LLMError(f"{provider.url} speaks http; write http:// in base_url.", 502)
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return LLMError(f"The certificate of {provider.url} is not trusted ({short(reason)}); check the address.", 502)
    sentence = f"{provider.short_label} cannot be reached at {provider.url} ({short(reason)})"
    return LLMError(f"{sentence}; check that the server runs and the address is right.", 502)


def silent(provider: Provider, timeout: float) -> LLMError:
    return LLMError(f"{provider.short_label} said nothing for {timeout:g} s; try again, or raise the timeout.", 504)


def broken_off(provider: Provider, reason: str = "") -> LLMError:
    reason = f" ({short(reason)})" if reason else ""
    return BusyError(f"{provider.short_label} broke off in the middle of the answer{reason}; try again.")


def not_the_protocol(provider: Provider, what: str) -> LLMError:
    return LLMError(f"{provider.url} answered with {what} instead of a model's answer; check base_url ({OFTEN}).", 502)


def declined(provider: Provider, reason: str) -> LLMError:
    return LLMError(f"{provider.short_label} refused to answer ({short(reason)}); change the caption or the model.")


CUT = "The model stopped at its length limit; raise the limit of the server, or use a model that says less."
"""The remark on an answer that the model could not finish."""


def short(text: str) -> str:
    """A server's own words, short enough for a sentence."""
    text = " ".join(text.split()).rstrip(".")
    return text if len(text) <= 200 else text[:197] + "..."
