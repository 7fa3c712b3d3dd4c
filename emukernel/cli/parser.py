"""The argument parser of all commands: what is wrong with a command line, in one line."""

from __future__ import annotations

from argparse import ArgumentParser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

EXIT_USAGE = 2


class Parser(ArgumentParser):
    """An ArgumentParser without the usage text before its errors."""

    def error(self, message: str) -> NoReturn:
        """Ends with status 2."""
        self.exit(EXIT_USAGE, f"{self.prog}: {message} (see {self.prog} --help)\n")
