"""ValidateSql: only a statement that was parsed, allowed, resolved and written anew goes on."""
