"""The errors that a caller of this package can expect, under one base class."""


class PromtoolError(Exception):
    """Something for the user to put right; the text says what was found and what to do."""


class NotFoundError(PromtoolError):
    """There is no promtool to run."""


class UnsupportedError(PromtoolError):
    """The promtool that was found is too old for what was asked."""


class BadFileError(PromtoolError):
    """A file cannot be read as YAML of the expected shape."""


class TimedOutError(PromtoolError):
    """A promtool process was stopped because it took too long."""


class ToolError(PromtoolError):
    """A promtool process ended in a way that is neither success nor a finding."""
