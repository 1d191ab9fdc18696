"""Pages above associations. Route names are `site:…`."""

from django.urls import path

from amap import desks
from amap.views import health, site

app_name = "site"
urlpatterns = [
    path("", site.entrance, name="entrance"),
    path("health/", health.show, name="health"),
    path("language/", site.language, name="language"),
    path("farms/<slug:slug>/", desks.farm_desk, name="farm_desk"),
]
