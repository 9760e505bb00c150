"""What a month in the cloud costs: prices from a dated file, a usage, and the bill that they make."""
