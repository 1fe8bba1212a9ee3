"""Examples of what is sent and told, by the name of the schema; a test reads each as what it is an example of."""

from typing import Any

ID = "019b0c6e-7d3a-7c41-9d5e-4b6f0a2c8e10"
OTHER_ID = "019b0c6e-8f12-7a90-b3c7-2d1e5f6a7b80"
AT = "2026-11-22T10:30:00Z"
EXAMPLES: dict[str, dict[str, Any]] = {
    "NewConversation": {"title": "Weights of herons"},
    "ConversationChange": {"title": "Herons", "is_pinned": True},
    "Conversation": {
        "conversation_id": ID, "title": "Weights of herons", "project_id": None, "model_id": None, "agent_id": None,
        "temperature": None, "max_tokens": None, "is_pinned": False, "is_archived": False, "created_at": AT,
        "last_message_at": AT,
    },
    "MessageChange": {"text": "About two kilograms."},
    "ChatRequest": {"idempotency_key": "report-2026-11-22", "text": "How much does a grey heron weigh?"},
    "ChatAnswer": {
        "run_id": ID, "chat_id": OTHER_ID, "question_id": ID, "answer_id": OTHER_ID, "status": "completed",
        "text": "About two kilograms.", "reasoning": "", "finish_reason": "stop",
        "usage": {"input_tokens": 14, "output_tokens": 6, "source": "provider"}, "cost_usd": "0.000026",
        "metrics": {"ttft_ms": 312.5, "total_ms": 840.0, "attempts": 1}, "model_name": "Demo", "instead_of": "",
    },
    "NewProject": {"name": "Herons", "instructions": "Answer briefly."},
    "ProjectChange": {"is_archived": True},
    "Project": {
        "project_id": ID, "name": "Herons", "instructions": "Answer briefly.", "role": "owner", "owner_name": "ann",
        "is_mine": True, "members": 1, "is_archived": False, "keep_days": None,
    },
    "AddMember": {"email": "nora@example.org", "role": "viewer"},
    "NewLimits": {"keep_days": 90, "budget_usd": "25.00"},
    "DocumentChange": {"name": "herons.pdf"},
    "Document": {
        "document_id": ID, "project_id": OTHER_ID, "name": "herons.pdf", "media_type": "application/pdf",
        "size_bytes": 48213, "sha256": "0" * 64, "source_url": None, "version": 1, "stage": "ready",
        "error_message": None, "page_count": 12, "tokens": 5400,
    },
    "RetrieveRequest": {"project_id": ID, "query": "weight of a grey heron", "most": 3},
    "NewPrompt": {"name": "summarise", "text": "Summarise this: {{text}}", "tags": ["writing"]},
    "PromptChange": {"tags": ["writing", "short"]},
    "AgentBody": {"name": "Birder", "instructions": "Answer like an ornithologist.", "temperature": 0.2},
    "AgentChange": {"description": "Knows birds"},
    "ErrorBody": {
        "error": {
            "code": "not_found", "message": "This chat does not exist, or it is not yours.", "retryable": False,
            "retry_after": None, "request_id": "5f0c2a9b7d3e1846",
        }
    },
}  # fmt: skip
