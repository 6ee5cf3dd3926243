"""Programs that use maxent, in processes of their own that need not import anything: forks of one that has.

`[*forked(), CODE, "sample", ...]` in place of `[sys.executable, "-c", CODE, "sample", ...]`: a process whose pipes,
signals, working folder, variables and exit code are that program's. It hands its streams to a server, which forks, and
waits; killed itself, it takes the program with it. What must see how Python starts, or sets limits and the variables
that libraries read when they are imported, needs a real start.
"""

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NoReturn

MAXENT = "from maxent_cli.__main__ import main; main()"
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


@cache
def forked() -> list[str]:
    """The words that begin a command line, behind which come code and its arguments; starts the server."""
    place = str(Path(tempfile.mkdtemp(prefix="maxent-forked-")) / "socket")
    words = [sys.executable, __file__, "serve", place]
    server = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdin is not None
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    server.stdout.close()
    atexit.register(server.communicate)  # closes what it reads, so that it ends
    return [sys.executable, "-I", "-S", __file__, "run", place]


def maxent_words() -> list[str]:
    """What stands for `maxent` on a command line."""
    return [*forked(), MAXENT]


def serve(place: str) -> Sequence[str] | None:
    """Fork for each that connects; in such a fork, its arguments: the code to run is the first."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(place)
        listener.listen()
        print("ready", flush=True)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the keepers
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                return None
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                return keep(connection)
            connection.close()


def keep(connection: socket.socket) -> Sequence[str]:
    """Fork once more, and tell the exit code; in that fork, its arguments."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    data, streams, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    given = json.loads(data)
    child = os.fork()
    if child == 0:
        connection.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(given["folder"])
        os.environ.clear()
        os.environ.update(given["variables"])
        return [str(word) for word in given["words"]]
    for stream in (*streams, 0, 1, 2):
        os.close(stream)
    connection.sendall(child.to_bytes(8, "big"))
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            with contextlib.suppress(OSError):
                connection.sendall((os.waitstatus_to_exitcode(status) + 1000).to_bytes(8, "big"))
            os._exit(0)
        gone, _, _ = select.select([connection], [], [], 0.002)
        if gone:  # whoever asked has been killed
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)


def run(place: str, words: Sequence[str]) -> NoReturn:
    """Have the server run it, pass signals on, and end as it does."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(place)
        given = {"words": list(words), "folder": str(Path.cwd()), "variables": dict(os.environ)}
        socket.send_fds(connection, [json.dumps(given).encode()], [0, 1, 2])
        child = int.from_bytes(connection.recv(8), "big")
        for number in PASSED_ON:
            signal.signal(number, lambda number, _: os.kill(child, number))
        code = int.from_bytes(connection.recv(8), "big") - 1000
    if code < 0:
        if -code in PASSED_ON:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def end_with(code: object) -> None:
    """End as Python does, without taking apart all that was imported; only come back where that is not simple."""
    if not (code is None or isinstance(code, int)) or threading.active_count() > 1:
        return
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code or 0)


if __name__ == "__main__":
    if sys.argv[1] == "run":
        run(sys.argv[2], sys.argv[3:])
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    from tests.forks import import_all

    import_all()
    own = serve(sys.argv[2])
    if own is not None:
        sys.argv = ["maxent", *own[1:]]
        sys.path[0] = ""
        try:
            exec(own[0])
        except SystemExit as error:
            end_with(error.code)
            raise
        end_with(None)
