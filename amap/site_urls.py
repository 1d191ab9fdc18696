"""Pages above associations. Route names are `site:…`."""

from django.conf import settings
from django.urls import path

from amap.demo import views as demo
from amap.desks import views as desks
from amap.views import health, site
from deliveries.views import feeds

app_name = "site"
urlpatterns = [
    path("", site.entrance, name="entrance"),
    path("health/", health.show, name="health"),
    path("language/", site.language, name="language"),
    path("start/", site.start, name="start"),
    path("invitations/<str:token>/", site.invitation, name="invitation"),
    path("unsent/", site.unsent, name="unsent"),
    path("profile/", site.profile, name="profile"),
    path("help/", desks.help_page, name="help"),
    path("help/<slug:page>/", desks.help_page, name="help_page"),
    path("farms/<slug:slug>/", desks.farm_desk, name="farm_desk"),
    path("calendar/", feeds.my_calendar, name="calendar"),
    path("calendar/renew/", feeds.renew_calendar, name="renew_calendar"),
    path("calendar/withdraw/", feeds.withdraw_calendar, name="withdraw_calendar"),
    path("feeds/<str:token>.ics", feeds.feed, name="feed"),
]
if settings.DEMO:
    urlpatterns += [
        path("demo/", demo.doors, name="demo"),
        path("demo/enter/<slug:persona>/", demo.enter, name="enter"),
    ]
