"""Desks: what concerns me, first. Part of the roof: they ask all three apps, and are asked by nobody.

`cards` are the rules whose causes wait for somebody, `member` a member's home, `farm` a farm's desk over all its
associations, `plots` their pictures, `views` the pages.
"""
