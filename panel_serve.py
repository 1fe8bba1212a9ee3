"""The same as `llm-ui serve`."""

import sys

from llm_ui.cli.main import main

if __name__ == "__main__":
    main(["serve", *sys.argv[1:]])
