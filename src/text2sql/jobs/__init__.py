"""Questions that are answered as jobs: what was asked, how far it is, how it ended, and its rows."""
