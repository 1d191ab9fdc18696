"""Pages of an association about what happened. Route names are `deliveries:…`."""

from django.urls import path

from deliveries.views import distributions, harvests, roster, sheets

app_name = "deliveries"
urlpatterns = [
    path("distributions/", distributions.distributions, name="distributions"),
    path("distributions/plan/", distributions.plan, name="plan"),
    path("distributions/<id:pk>/", distributions.distribution, name="distribution"),
    path("distributions/<id:pk>/move/", distributions.move, name="move"),
    path("distributions/<id:pk>/lock/", sheets.lock, name="lock"),
    path("distributions/<id:pk>/sheet/", sheets.sheet, name="sheet"),
    path("distributions/<id:pk>/sheet.pdf", sheets.sheet_pdf, name="sheet_pdf"),
    path("distributions/<id:pk>/sheet/<id:household>/", sheets.sheet_line, name="sheet_line"),
    path("distributions/<id:pk>/sheet/<id:household>/annotate/", sheets.annotate, name="annotate"),
    path("distributions/<id:pk>/collect/", sheets.collect, name="collect"),
    path("distributions/<id:pk>/uncollect/", sheets.uncollect, name="uncollect"),
    path("distributions/<id:pk>/close/", sheets.close, name="close"),
    path("distributions/<id:pk>/board.pdf", sheets.board_pdf, name="board_pdf"),
    path("distributions/<id:pk>/quantities/", sheets.quantities, name="quantities"),
    path("distributions/<id:pk>/quantities.pdf", sheets.quantities_pdf, name="quantities_pdf"),
    path("deliveries/<id:pk>/harvest/", harvests.harvest, name="harvest"),
    path("roster/", roster.roster, name="roster"),
    path("roster/roster.pdf", roster.roster_pdf, name="roster_pdf"),
    path("roster/roles/", roster.settings, name="roster_settings"),
    path("roster/shifts/<id:pk>/take/", roster.take_shift, name="take_shift"),
    path("roster/shifts/<id:pk>/assign/", roster.assign, name="assign"),
    path("roster/assignments/<id:pk>/leave/", roster.leave_shift, name="leave_shift"),
    path("roster/assignments/<id:pk>/request-swap/", roster.request_swap, name="request_swap"),
    path("roster/assignments/<id:pk>/keep/", roster.keep_shift, name="keep_shift"),
    path("roster/assignments/<id:pk>/take-over/", roster.take_over, name="take_over"),
    path("roster/assignments/<id:pk>/replace/", roster.replace, name="replace"),
    path("roster/assignments/<id:pk>/mark/", roster.mark, name="mark"),
]
