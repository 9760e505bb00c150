"""The HTTP API over the pipeline: who asks, which jobs run, and how they are told."""
