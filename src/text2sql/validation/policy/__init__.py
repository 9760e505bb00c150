"""Access policies held against a catalog: their row conditions go through the rules of statements."""
