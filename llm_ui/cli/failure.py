"""How a command says that it cannot go on."""

import sys
from typing import NoReturn

import click


def fail(message: str, *, code: int = 1) -> NoReturn:
    """Say why on standard error and end with the exit code."""
    click.echo(f"llm-ui: {message}", err=True)
    sys.exit(code)
