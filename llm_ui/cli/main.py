"""The command line: `llm-ui COMMAND`. Each command's file is named after it."""

import click

from llm_ui import __version__
from llm_ui.cli.database import database
from llm_ui.cli.doctor import doctor
from llm_ui.cli.providers import providers
from llm_ui.cli.serve import api, serve, ui, worker
from llm_ui.cli.users import users


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, package_name="llm-ui", prog_name="llm-ui")
def main() -> None:
    """LLM UI: a self-hosted, multi-user AI workspace."""


for command in (serve, ui, api, worker, database, users, providers, doctor):
    main.add_command(command)

if __name__ == "__main__":
    main()
