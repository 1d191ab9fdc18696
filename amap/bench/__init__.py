"""Figures, not tests: what pages, sign-ups and PDFs cost, as ratios to a floor (`manage.py bench`). Part of the roof.

`fill` makes associations of any size with rows of plausible shape; `meters` measures. Milliseconds of a shared machine
say little: judge by ratios of CPU time taken in turn, by numbers of queries, and by Python calls, which do not vary.
"""
