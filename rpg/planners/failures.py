"""What a server's refusal means to the user, in one sentence that says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from rpg.errors import PlannerError
from rpg.planners.asking import Busy, Call, short


def refused(call: Call, status: int, message: str, headers: Mapping[str, str], code: str = "") -> PlannerError:
    """An HTTP status other than 200. ``message`` and ``code`` are the server's own."""
    said = "" if not message or "<" in message[:200] else f" ({short(message)})"
    after = _retry_after(headers)
    if status == 401 or "api key not valid" in message.lower():
        where = f" or the environment variable {call.provider.key_env[0]}" if call.provider.key_env else ""
        sentence = f"{call.label} refused the key ({status}); check the API key{where}."
    elif code == "insufficient_quota":
        sentence = f"The quota of this {call.label} key is used up ({status}); check its billing or use another key."
    elif status == 403:
        sentence = f"{call.label} does not allow this key to use {call.model} (403){said}; use another model or key."
    elif status == 404:
        sentence = f"{call.label} has no model {call.model!r} at {call.url} (404){said}; check model and base_url."
    elif status == 429:
        wants = f" and asks to wait {after:.0f} s" if after is not None else ""
        return Busy(f"{call.label} limits the rate of requests (429){wants}; try again later or use another model.", after)
    elif status in (408, 409) or status >= 500:
        return Busy(f"{call.label} has a problem of its own ({status}){said}; try again later or use another provider.", after)
    else:
        sentence = f"{call.label} refused the request ({status}){said}; check model and options."
    return PlannerError(sentence, 502)


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


def unreachable(call: Call, reason: str) -> PlannerError:
    return PlannerError(
        f"{call.label} cannot be reached at {call.url} ({short(reason)}); check that the server runs and the address is right.",
        502,
    )


def silent(call: Call) -> PlannerError:
    return PlannerError(f"{call.label} said nothing for {call.request.timeout:g} s; try again, or raise the timeout.", 504)


def broken_off(call: Call, reason: str = "") -> PlannerError:
    reason = f" ({short(reason)})" if reason else ""
    return Busy(f"{call.label} broke off in the middle of the answer{reason}; try again.")


def not_the_protocol(call: Call, what: str) -> PlannerError:
    return PlannerError(
        f"{call.url} answered with {what} instead of a model's answer; check base_url (it often ends in /v1).", 502
    )


def declined(call: Call, reason: str) -> PlannerError:
    return PlannerError(f"{call.label} refused the caption ({short(reason)}); change the caption or the model.")


CUT = "The model stopped at its length limit."
"""The remark on an answer that the model could not finish."""
