"""The demonstration: a year in an invented AMAP (domain.md §5), lived by calling the real actions with past dates.

`people` and `season` say who and what; `year` lives it day by day: `founding`, `signing`, `paying`, `evenings` do the
deeds. `views` opens its doors. Part of the roof. Nothing here exists when `AMAP_DEMO` is off.
"""
