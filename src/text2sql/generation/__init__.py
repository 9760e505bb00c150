"""GenerateSql: a language model drafts a statement, asks back, or declines."""
