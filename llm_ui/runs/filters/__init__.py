"""Safety filters: what is looked for in what goes to a model and comes from it. One detector a file.

Every pattern is linear: repetitions are bounded or cannot meet, so that a hostile text costs no more than its length.
"""
