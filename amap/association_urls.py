"""Pages of an association about who we are. Route names are `amap:…`."""

from django.urls import path

from amap import desks

app_name = "amap"
urlpatterns = [
    path("", desks.home, name="home"),
]
