"""The one error that a user's input can cause, its kind for settings, and the end of a run that was asked to stop."""

from collections.abc import Sequence
from math import inf

LONGEST = 400  # letters of each part of a message; a name from a file may have any number


class InputError(Exception):
    """Something is wrong with what the user gave: printed as `path: where: problem; cure` on one line, exit code 1."""

    def __init__(self, path: object, where: str, problem: str, cure: str) -> None:
        self.path, self.where, self.problem, self.cure = str(path), where, problem, cure
        place = f"{printable(self.path)}: {shown(where)}" if where else printable(self.path)
        super().__init__(f"{place}: {shown(problem)}; {shown(cure)}")


class SettingsError(InputError):
    """Settings that are out of range or exclude each other: printed as `setting: problem; cure`, exit code 2."""


def require_range(setting: str, value: float | None, least: float, most: float = inf, ends: str = "[]") -> None:
    """Raise SettingsError for a value, where there is one, outside a range; '(' and ')' leave its ends out."""
    if value is None:
        return
    above = value >= least if ends[0] == "[" else value > least
    if not (above and (value <= most if ends[1] == "]" else value < most)):
        least_said = f"{'at least' if ends[0] == '[' else 'above'} {least:g}"
        span = least_said if most == inf else f"from {least:g} to {most:g}" + ", ends excluded" * (ends != "[]")
        raise SettingsError(setting, "", f"{value} is not {span}", "give a number that is")


def require_one_of(setting: str, value: object, known: Sequence[str]) -> None:
    """Raise SettingsError for a value that is not among those known."""
    if value not in known:
        raise SettingsError(setting, "", f"{value!r} is none that is known here", f"give one of {', '.join(known)}")


class StoppedError(Exception):
    """The run was asked to stop, and has: the same command goes on from there. Exit code 4."""


class EndedError(BaseException):
    """The process was told to end, and cannot go on from there; no Exception, so that no reader takes it for one."""


# what numpy, torch, CUDA and the loader of libraries say where memory ends, beside MemoryError
_MEMORY = ("allocate memory", "bad_alloc", "out of memory", "alloc_failed", "failed to map segment")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there is no more memory, whoever raised it."""
    text = str(error).lower().replace("out_of_memory", "out of memory")
    may = isinstance(error, RuntimeError | OSError | ImportError) or _is_of_numba(error)
    return isinstance(error, MemoryError) or (may and any(words in text for words in _MEMORY))


def is_lost_card(error: BaseException) -> bool:
    """Whether an error says that a GPU, or its driver, can no longer be used by this process."""
    text = str(error).lower()
    named = any(words in text for words in ("cuda error", "cuda_error", "cudnn_status", "cublas_status"))
    may = isinstance(error, RuntimeError) or _is_of_numba(error)
    return may and named and not is_out_of_memory(error)


def _is_of_numba(error: BaseException) -> bool:
    """Whether it is numba's own, which its driver of a card raises for what torch has RuntimeError for."""
    return type(error).__module__.partition(".")[0] == "numba"


def spoken_time(seconds: float) -> str:
    """A time in words."""
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds > 1.5 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def printable(text: str) -> str:
    """Text with a question mark for whatever would end a line or move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def said(error: BaseException) -> str:
    """The kind of an error that others raised and what it says, in a line, to be put into a problem."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}".removesuffix(": ")


def shown(text: str) -> str:
    """One line of text, cut visibly where it is very long."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."
