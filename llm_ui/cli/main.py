"""The command line: `llm-ui COMMAND`. Each command's file is named after it."""

import importlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import NoReturn, cast

import click

from llm_ui import __version__
from llm_ui.cli.failure import fail

USAGE_ERROR = 2
"""The exit code of a command that was typed wrongly, as shells and click have it."""


COMMANDS = {
    "serve": "serve:serve", "ui": "serve:ui", "api": "serve:api", "worker": "serve:worker", "db": "database:database",
    "users": "users:users", "keys": "keys:keys", "providers": "providers:providers",
    "config": "configuration:config_command", "audit": "audit:audit", "eval": "evaluate:evaluate",
    "demo-data": "demo_data:demo_data", "doctor": "doctor:doctor",
}  # fmt: skip
"""Where each command is: its module here, and its name in there."""


class Commands(Mapping[str, click.Command]):
    """Imports only the command that is run: what all of them need takes longer than most of them do."""

    def __getitem__(self, name: str) -> click.Command:
        module, command = COMMANDS[name].split(":")
        return cast(click.Command, getattr(importlib.import_module(f"llm_ui.cli.{module}"), command))

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


@click.group(commands=Commands(), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, package_name="llm-ui", prog_name="llm-ui")
def commands() -> None:
    """LLM UI: a self-hosted, multi-user AI workspace."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command, of `sys.argv` by default, and exit; whatever fails is told in one sentence."""
    try:
        code = commands.main(arguments, prog_name="llm-ui", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = USAGE_ERROR
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx is not None else "llm-ui"
        fail(f"{error.format_message()} See: {path} --help", code=USAGE_ERROR)
    except click.ClickException as error:
        fail(error.format_message())
    except click.Abort:
        fail("Interrupted.")
    except BrokenPipeError:
        # Whoever read the output has gone, as `head` does; what is still buffered must not fail at the exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code or 0)


if __name__ == "__main__":
    main()
