"""The free documents about a datasource: read, cut into sections, indexed, and found again."""
