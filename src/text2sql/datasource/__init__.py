"""A database that we answer about: its catalog, its cache and its knowledge."""
