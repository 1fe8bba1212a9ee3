window.llmUiWords = {}
