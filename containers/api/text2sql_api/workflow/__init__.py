"""What works on the jobs: a port, and the adapter that does it in this process."""
