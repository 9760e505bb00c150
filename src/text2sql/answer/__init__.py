"""ComposeAnswer: a sentence, a chart and the reasons to trust them, from the rows alone."""
