"""How scripts ask the API: what the page with the keys shows."""

import json

EXAMPLES = (
    """\
curl @BASE/chat/completions \\
  -H "Authorization: Bearer $LLM_UI_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"model": @MODEL, "messages": [{"role": "user", "content": "What is 47 * 89?"}]}'""",
    """\
from openai import OpenAI

client = OpenAI(base_url="@BASE", api_key="llmui-…")
answer = client.chat.completions.create(
    model=@MODEL,
    messages=[{"role": "user", "content": "What is 47 * 89?"}],
)
print(answer.choices[0].message.content)""",
    """\
from anthropic import Anthropic

client = Anthropic(base_url="@ROOT", api_key="llmui-…")
answer = client.messages.create(
    model=@MODEL,
    max_tokens=500,
    messages=[{"role": "user", "content": "What is 47 * 89?"}],
)
print(answer.content[0].text)""",
)


def examples(base: str, model: str) -> list[str]:
    """Return how to ask a model at an address: with curl, and in Python with the clients of OpenAI and Anthropic."""
    values = {"@BASE": base, "@ROOT": base.removesuffix("/v1"), "@MODEL": json.dumps(model, ensure_ascii=False)}
    found = []
    for example in EXAMPLES:
        for place, value in values.items():
            example = example.replace(place, value)
        found.append(example)
    return found
