"""Pages of an association about what happened. Route names are `deliveries:…`."""

from django.urls import path

from deliveries.views import roster

app_name = "deliveries"
urlpatterns = [
    path("roster/", roster.roster, name="roster"),
    path("roster/roster.pdf", roster.roster_pdf, name="roster_pdf"),
    path("roster/roles/", roster.settings, name="roster_settings"),
    path("roster/shifts/<id:pk>/take/", roster.take_shift, name="take_shift"),
    path("roster/shifts/<id:pk>/assign/", roster.assign, name="assign"),
    path("roster/places/<id:pk>/leave/", roster.leave_shift, name="leave_shift"),
    path("roster/places/<id:pk>/request-swap/", roster.request_swap, name="request_swap"),
    path("roster/places/<id:pk>/keep/", roster.keep_shift, name="keep_shift"),
    path("roster/places/<id:pk>/take-over/", roster.take_over, name="take_over"),
    path("roster/places/<id:pk>/replace/", roster.replace, name="replace"),
    path("roster/places/<id:pk>/mark/", roster.mark, name="mark"),
]
