"""ExecuteSql: a checked statement runs read-only, within limits."""
