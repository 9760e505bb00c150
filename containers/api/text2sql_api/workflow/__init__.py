"""What works on the jobs: a port, and its adapters, in this process and in Step Functions."""
