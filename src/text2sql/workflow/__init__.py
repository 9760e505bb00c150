"""The steps as functions of a state machine: what each is given, and what surrounds it."""
