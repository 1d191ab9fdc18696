"""The site with one page more: the floor, an empty page in our frame, to measure others against (engineering.md)."""

from django.shortcuts import render
from django.urls import path

from amap.urls import urlpatterns as site


def floor(request):
    return render(request, "base.html")


urlpatterns = [path("<slug:association>/floor/", floor), *site]
