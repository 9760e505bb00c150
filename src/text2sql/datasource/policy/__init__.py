"""The access policy: which rows and columns a caller may see."""
