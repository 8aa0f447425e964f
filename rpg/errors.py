"""Everything this package raises on purpose.

    RPGError
    ├── LayoutError          a split ratio that cannot be read
    ├── PlanError            a plan field that is missing, unknown or out of bounds
    ├── GenerationError      a plan that cannot be generated with this model, prompt or host
    ├── PlannerError         a request that no planner can plan
    ├── EditingError         a picture that cannot be checked or edited as asked
    ├── LLMError             a language model that cannot be asked
    │   ├── BusyError        ... now, but perhaps a little later
    │   └── ReplyError       ... of use: its answer is not what was asked for
    ├── UnableError          a job of a batch that this worker cannot do
    ├── BrokenError          a job of a batch in the middle of which the worker broke off
    ├── LostError            a worker of a batch that is of no use any more
    └── Stopped              work that the user or the host asked to stop

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
    """A request that no planner can plan."""


class EditingError(RPGError):
    """A picture that cannot be checked or edited as asked."""


class LLMError(RPGError):
    """A language model that cannot be asked."""


class BusyError(LLMError):
    """A server that may answer if it is asked again, ``after`` so many seconds if it said so, or when it is done ``loading``."""

    def __init__(self, message: str, after: float | None = None, loading: bool = False) -> None:
        super().__init__(message, 503)
        self.after = after
        self.loading = loading


class ReplyError(LLMError):
    """An answer that is not what was asked for. ``raw`` is what the model wrote, ``hint`` what would help it."""

    def __init__(self, message: str, raw: str = "", status_code: int = 422, hint: str = "") -> None:
        super().__init__(message, status_code)
        self.raw = raw
        self.hint = hint


class UnableError(RPGError):
    """A job that this worker cannot do; another may."""


class BrokenError(RPGError):
    """A job in the middle of which the worker broke off."""


class LostError(RPGError):
    """A worker that is gone for good, or of no use; its job is another's."""


class Stopped(RPGError):
    """Work that the user or the host asked to stop."""
