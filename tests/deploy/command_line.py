"""`sloforge` with the verbs of a deploy, as a process: python -m tests.deploy.command_line ROOT ..."""

import sys
from pathlib import Path

from sloforge.cli import _Cli
from sloforge.deploy import commands

if __name__ == "__main__":
    group = _Cli(name="sloforge")
    for one in commands.COMMANDS:
        group.add_command(one)
    group.main(args=sys.argv[2:], obj=Path(sys.argv[1]))
