"""What somebody sends who read the question before a deletion and agrees."""

from typing import Any

from django.test import Client


def agreed(client: Client, url: str) -> dict[str, str]:
    """Open the question, and return the answer that says yes to just its numbers."""
    question: Any = client.get(url).context["question"]
    return {"seen": question.seen, "name": question.name}
