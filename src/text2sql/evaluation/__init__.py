"""How right the answers are: questions with gold SQL are asked, judged, counted and compared."""
