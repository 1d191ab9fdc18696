"""Who we are: people, money, membership, records.

The app has two storeys. The *ground* (errors, clock, euros, states, access, letters, jobs, pdf, models, actions…) may
be imported by everybody. The *roof* (settings, urls, desks, demo, management commands) may import anything and is
imported by nobody. Between them stand `contracts` (what we promised) and `deliveries` (what happened).
"""
