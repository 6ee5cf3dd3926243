"""The one error that a user's input can cause."""


class InputError(Exception):
    """Something is wrong with what the user gave: printed as `path: where: problem; cure`, exit code 1."""

    def __init__(self, path: object, where: str, problem: str, cure: str) -> None:
        self.path, self.where, self.problem, self.cure = str(path), where, problem, cure
        place = f"{self.path}: {where}" if where else self.path
        super().__init__(f"{place}: {problem}; {cure}")
