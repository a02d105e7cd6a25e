"""Which convention or mistake gives the number that somebody got: the search, and the judgement of what it finds."""
