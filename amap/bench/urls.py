"""The site, and beside it the floor: the empty page of a signed-in person, with everything that stands around a
page."""

from django.shortcuts import render
from django.urls import path

from amap.urls import urlpatterns as site


def floor(request):
    """What every page costs before it says anything."""
    return render(request, "base.html")


urlpatterns = [path("<slug:association>/floor/", floor, name="floor"), *site]
