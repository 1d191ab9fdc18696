"""Desks: what concerns me, first. Part of the roof: it asks all three apps."""

from django.shortcuts import render

from amap.access import own_farm


def home(request):
    """The visitor's desk in this association."""
    return render(request, "amap/desks/home.html", {})


def farm_desk(request, slug):
    """A farm's desk, over all its associations."""
    return render(request, "amap/desks/farm.html", {"farm": own_farm(request, slug)})
