"""RetrieveContext: what the model is told beside the question."""
