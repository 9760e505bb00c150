"""CheckQuestion: what may not be asked is stopped, what may not be passed on is masked."""
