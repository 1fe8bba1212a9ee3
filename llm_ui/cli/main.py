"""The command line: `llm-ui COMMAND`. Each command's file is named after it."""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from llm_ui import __version__
from llm_ui.cli.audit import audit
from llm_ui.cli.command import fail
from llm_ui.cli.configuration import config_command
from llm_ui.cli.database import database
from llm_ui.cli.demo_data import demo_data
from llm_ui.cli.doctor import doctor
from llm_ui.cli.evaluate import evaluate
from llm_ui.cli.keys import keys
from llm_ui.cli.providers import providers
from llm_ui.cli.serve import api, serve, ui, worker
from llm_ui.cli.users import users

USAGE_ERROR = 2
"""The exit code of a command that was typed wrongly, as shells and click have it."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, package_name="llm-ui", prog_name="llm-ui")
def commands() -> None:
    """LLM UI: a self-hosted, multi-user AI workspace."""


for command in (
    serve, ui, api, worker, database, users, keys, providers, config_command, audit, evaluate, demo_data, doctor
):  # fmt: skip
    commands.add_command(command)


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
