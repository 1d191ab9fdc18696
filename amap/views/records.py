"""Letters that may not have arrived and work that was given up: where their cards on the dashboard lead. And the page
on which somebody waits for work they asked for.
"""

from django.contrib import messages
from django.db.models import Q
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from amap import clock, pdf
from amap.access import Role, role_required
from amap.actions import records
from amap.models import Job, Letter
from amap.pages import page_of

KEEPERS = (Role.COMMITTEE, Role.SECRETARY)
# What a letter is about. Not its subject: a letter may be here because its words cannot be made.
LETTERS = {
    "account": gettext_lazy("an account"),
    "basket_of_the_week": gettext_lazy("the basket of the week"),
    "contract_signed": gettext_lazy("a contract signed"),
    "contract_validated": gettext_lazy("a contract valid"),
    "distribution_moved": gettext_lazy("a distribution moved"),
    "fee_received": gettext_lazy("a membership fee received"),
    "harvest_missing": gettext_lazy("a harvest list missing"),
    "invitation": gettext_lazy("an invitation"),
    "offer_agreed": gettext_lazy("an offer agreed"),
    "offer_cancelled": gettext_lazy("an offer cancelled"),
    "offer_changed": gettext_lazy("an offer changed"),
    "offer_open": gettext_lazy("sign-up open"),
    "offer_proposed": gettext_lazy("an offer proposed"),
    "payment_missing": gettext_lazy("a payment missing"),
    "place_given_back": gettext_lazy("a place given back"),
    "shift_reminder": gettext_lazy("a shift to come"),
    "shift_replaced": gettext_lazy("a shift taken over"),
    "shift_taken": gettext_lazy("a shift taken"),
    "shift_urgent": gettext_lazy("an urgent call for volunteers"),
    "waiting": gettext_lazy("the waiting list"),
}
WORK = {
    "amap.accounts.forget_sessions": gettext_lazy("forgetting sessions that have ended"),
    "amap.backup.nightly": gettext_lazy("the backup of the night"),
    "amap.jobs.forget": gettext_lazy("tidying up after old work"),
    "amap.letters.send_digest": gettext_lazy("the letters of the day to one reader"),
    "amap.letters.send_urgent": gettext_lazy("a letter"),
    "contracts.books.nightly": gettext_lazy("the check of the books: the figures do not agree"),
    "contracts.tasks.fill_document": gettext_lazy("the PDF of a contract"),
    "contracts.tasks.follow_the_calendar": gettext_lazy("beginning and completing contracts"),
    "contracts.tasks.give_places_back": gettext_lazy("giving back places nobody paid for"),
    "contracts.tasks.remind_of_payments": gettext_lazy("reminders of payments"),
    "contracts.tasks.start_and_end_seasons": gettext_lazy("starting and ending seasons"),
    "deliveries.tasks.alert_missing_harvests": gettext_lazy("asking for harvest lists"),
    "deliveries.tasks.announce_baskets": gettext_lazy("the letters about the baskets"),
    "deliveries.tasks.call_for_help": gettext_lazy("urgent calls for volunteers"),
    "deliveries.tasks.close_forgotten": gettext_lazy("closing the distributions nobody closed"),
    "deliveries.tasks.hold_the_past": gettext_lazy("recording what was delivered before"),
    "deliveries.tasks.lock_due": gettext_lazy("fixing the list of a distribution"),
    "deliveries.tasks.plan_ahead": gettext_lazy("planning the distributions ahead"),
    "deliveries.tasks.remind_of_shifts": gettext_lazy("reminders of shifts"),
}


def _letters(request):
    return Letter.objects.filter(association=request.standing.association_id, status__in=records.STUCK_LETTERS)


def _jobs(request):
    """Those of this association, and those of the whole installation, which hold nobody's data."""
    return Job.objects.filter(
        Q(association=request.standing.association_id) | Q(association=None), status=Job.Status.PARKED
    )


@role_required(*KEEPERS)
def troubles(request):
    page = page_of(request, _letters(request).order_by("-created_at"))
    context = {
        "page": page,
        "letters": [(letter, LETTERS.get(letter.kind, letter.kind)) for letter in page],
        "jobs": [(job, job.title or WORK.get(job.kind, job.kind)) for job in _jobs(request).defer("pdf")[:50]],
    }
    return render(request, "amap/records/troubles.html", context)


def _asked(request):
    """What the visitor asked for here."""
    return Job.objects.filter(association=request.standing.association_id, by=request.user)


def work(request, pk):
    """Something the visitor asked for is being made: wait here, or leave and come back."""
    job = get_object_or_404(_asked(request).defer("pdf"), pk=pk)
    result = job.url or reverse("amap:work_pdf", args=[request.standing.slug, pk])
    template = "ui/job.html" if request.htmx else "amap/records/work.html"
    return render(request, template, {"job": job, "result_url": result})


def work_pdf(request, pk):
    """The paper that was made."""
    job = get_object_or_404(_asked(request).exclude(pdf=None), pk=pk)
    return pdf.answer(bytes(job.pdf), slugify(job.title))


def _done(request, text):
    messages.success(request, text)
    return redirect("amap:troubles", request.standing.slug)


@require_POST
@role_required(*KEEPERS)
def send_again(request, pk):
    records.send_again(get_object_or_404(_letters(request), pk=pk), by=request.user, now=clock.now())
    return _done(request, _("The letter leaves within a minute."))


@require_POST
@role_required(*KEEPERS)
def settle_letter(request, pk):
    records.settle_letter(get_object_or_404(_letters(request), pk=pk), by=request.user, now=clock.now())
    return _done(request, _("Settled: no letter is sent."))


@require_POST
@role_required(*KEEPERS)
def try_again(request, pk):
    records.try_again(get_object_or_404(_jobs(request), pk=pk), by=request.user, now=clock.now())
    return _done(request, _("It is tried again within two minutes."))


@require_POST
@role_required(*KEEPERS)
def settle_job(request, pk):
    records.settle_job(get_object_or_404(_jobs(request), pk=pk), by=request.user, now=clock.now())
    return _done(request, _("Settled: this work is left undone."))
