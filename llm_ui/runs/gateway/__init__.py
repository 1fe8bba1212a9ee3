"""What scripts ask with a key: like a chat's question, but nothing of it is stored except what it used."""
