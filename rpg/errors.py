"""Everything this package raises on purpose.

    RPGError
    ├── LayoutError          a split ratio that cannot be read
    ├── PlanError            a plan field that is missing, unknown or out of bounds
    ├── GenerationError      a plan that cannot be generated with this model, prompt or host
    └── PlannerError         a planner that could not make a plan

Each message is one sentence (or two) a user can act on: the field, the value, what would be right.
"""


class RPGError(Exception):
    """Base of all errors. The webui's API answers with ``status_code`` and ``detail``.

    The host reads both from the instance's ``__dict__``, so they are set here and not on the class.
    """

    def __init__(self, message: str, status_code: int = 422) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.detail = message


class LayoutError(RPGError):
    """A split ratio that cannot be read."""


class PlanError(RPGError):
    """A plan field that is missing, unknown or out of bounds."""


class GenerationError(RPGError):
    """A plan that cannot be generated with this model, prompt or host."""


class PlannerError(RPGError):
    """A planner that could not make a plan."""
