"""What scripts are offered with a key: the API in the shapes of OpenAI's and Anthropic's."""
