"""What becomes of a document: read, cut into passages, found again, cited."""
