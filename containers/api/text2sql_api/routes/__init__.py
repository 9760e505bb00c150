"""The paths of the API, each file one kind of thing."""
