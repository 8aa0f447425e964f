"""The latest plans by request, in memory only."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from collections import OrderedDict

from rpg.llm import Provider, Question
from rpg.plan import Plan

SIZE = 64

_plans: OrderedDict[str, Plan] = OrderedDict()
_lock = threading.Lock()
_SALT = secrets.token_hex(16)


def key_of(provider: Provider, question: Question) -> str:
    """A salted hash of everything that the answer depends on; it holds no API key that could be read."""
    messages = [(message.role, message.text, [picture.url for picture in message.pictures]) for message in question.messages]
    parts = [_SALT, provider.name, provider.model, provider.url, provider.key, messages]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def recall(key: str) -> Plan | None:
    with _lock:
        if key in _plans:
            _plans.move_to_end(key)
        return _plans.get(key)


def remember(key: str, plan: Plan) -> None:
    with _lock:
        _plans[key] = plan
        _plans.move_to_end(key)
        while len(_plans) > SIZE:
            _plans.popitem(last=False)
