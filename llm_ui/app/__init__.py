"""The UI process: Panel on Tornado, its gate, its pages."""
