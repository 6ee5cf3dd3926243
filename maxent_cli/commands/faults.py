"""One line for whatever ends a command, and its exit code; of what nobody foresaw, a file for the makers of maxent."""

import traceback

from maxent_cli.errors import EndedError, InputError, SettingsError, StoppedError, is_lost_card, is_out_of_memory, shown

INPUT, USAGE, STOPPED, FAULT, ENDED = 1, 2, 4, 5, 143
_SYSTEM = "the system"

NO_CACHE = InputError(
    "NUMBA_CACHE_DIR",
    "",
    "neither it, nor where this package lies, nor ~/.cache can be written, so that compiled code could be kept",
    "set it to a folder that can be, one for all jobs on the same kind of machine",
)
NO_MEMORY = (
    "ask for more memory, or for less at once: fewer --threads, --chains, --replicas, --draws or --references, a "
    "smaller --batch, or shorter records"
)


def told(error: BaseException) -> tuple[int, str]:
    """The exit code for an error, and the line that is said of it."""
    known = known_fault(error)
    if known is not None:
        return (USAGE if isinstance(known, SettingsError) else INPUT), str(known)
    if isinstance(error, StoppedError):
        return STOPPED, "stopped by a signal; run the same command again to go on"
    if is_lost_card(error):
        return STOPPED, f"the GPU was lost ({shown(str(error).splitlines()[0])}); run the same command again to go on"
    if isinstance(error, EndedError):
        return ENDED, "ended by a signal; run the same command again"
    kind = shown(f"{type(error).__name__}: {error}".removesuffix(": "))
    return FAULT, f"this is a fault of maxent ({kind}); {_report(error)}"


def known_fault(error: BaseException) -> InputError | None:
    """What is wrong with an input or the system, where that is what an error says."""
    if isinstance(error, InputError):
        return error
    if is_out_of_memory(error):
        said = shown(str(error)) or "no more could be had"
        return InputError(_SYSTEM, "", f"there is not enough memory ({said})", NO_MEMORY)
    if isinstance(error, OSError):
        return system_fault(error)
    if isinstance(error, SystemExit):
        problem, cure = f"ends the program (sys.exit({error.code!r}))", "have it raise an error, or do nothing"
        return InputError(*_place_of(error), problem, cure)
    if isinstance(error, RecursionError):
        problem = "what was given nests too deep, as modules within modules or brackets within brackets"
        return InputError(_SYSTEM, "", problem, "give it flatter")
    text = str(error)
    if isinstance(error, RuntimeError) and "no locator available" in text:  # numba's, of a place for compiled code
        return NO_CACHE
    if isinstance(error, RuntimeError) and "can't start new thread" in text:
        return InputError(_SYSTEM, "", "no more threads can be started", "give fewer --threads, or raise ulimit -u")
    return None


def system_fault(error: OSError) -> InputError:
    """What no reader and no writer has said, such as a full disk where temporary files lie."""
    from maxent_cli.io.files import reason
    from maxent_cli.io.outputs import leave_standard_output

    leave_standard_output()
    return InputError(error.filename or _SYSTEM, "", reason(error), "free what is full or missing")


def _place_of(error: BaseException) -> tuple[str, str]:
    """File and line that an error came from."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return last.filename, f"line {last.lineno}"


def _report(error: BaseException) -> str:
    from maxent_cli.io.faults import write_fault

    place = write_fault(error)
    return f"{place} tells its makers what went wrong" if place else "its makers need what stands above"
