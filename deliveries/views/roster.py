"""The roster: the season with its holes, taking a shift, finding a replacement."""

from operator import attrgetter
from urllib.parse import urlencode

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from amap import clock, pdf
from amap.access import Role, role_required
from amap.dates import date_format
from amap.errors import refused_into
from amap.pages import page_of, usual
from contracts.season_strip import months
from deliveries.actions import roster as actions
from deliveries.forms.roster import ReplacementForm, Roles
from deliveries.models import Shift, ShiftAssignment
from deliveries.models.roster import ROSTER_RUNNERS
from deliveries.roster import evenings

EVENINGS_A_PAGE = 6
EVENINGS_ON_PAPER = 13  # a quarter of Thursdays


def roster(request):
    """The season at a glance with its holes, my own shifts first, then the evenings six at a time."""
    past = request.GET.get("show") == "past"
    coming = evenings(request.association, request.standing, now=clock.now(), past=past)
    return render(
        request,
        "deliveries/roster/roster.html",
        {
            "page": page_of(request, coming, EVENINGS_A_PAGE),
            "usual": usual(coming, attrgetter("where")),
            "season": glance(coming, request.GET.get("show")),
            "legend": [
                {"state": "mine", "text": _("your shift")},
                {"state": "late", "text": _("people are missing, within ten days")},
                {"state": "", "text": _("somebody is missing")},
                {"state": "done", "text": _("complete")},
            ],
            "mine": [evening for evening in coming if evening.is_mine],
            "missing": sum(evening.missing for evening in coming),
            "holes": sum(1 for evening in coming if evening.missing),
            "is_past": past,
            "tabs": [
                {"label": _("Coming"), "url": "?", "is_current": not past},
                {"label": _("Past"), "url": "?show=past", "is_current": past},
            ],
            "may_set": request.standing.has(*ROSTER_RUNNERS),
        },
    )


def glance(coming, show):
    """The evenings as a strip of the season; each day leads to its evening. Holes are marked when they are near."""
    strip = []
    for rank, evening in enumerate(coming):
        if evening.is_mine:
            state, words = "mine", _("your shift")
        elif evening.missing and not evening.is_over:
            state = "late" if evening.is_pressing else ""
            words = ngettext("%(count)s person missing", "%(count)s people missing", evening.missing)
            words %= {"count": evening.missing}
        else:
            state, words = "done", _("past") if evening.is_over else _("complete")
        number = rank // EVENINGS_A_PAGE + 1
        query = urlencode({"show": show, "page": number} if show else {"page": number})
        strip.append((evening.day, state, words, f"?{query}#evening-{evening.pk}"))
    return months(strip)


def roster_pdf(request):
    """D10: the grid of dates and roles, to hang up at the place."""
    now = clock.now()
    coming = evenings(request.association, request.standing, now=now)[:EVENINGS_ON_PAPER]
    roles = {row.shift.role for evening in coming for row in evening.rows}
    roles = sorted(roles, key=lambda role: (role.position, role.pk))
    rows = []
    for evening in coming:
        by_role = {row.shift.role_id: row for row in evening.rows}
        rows.append({"evening": evening, "cells": [by_role.get(role.pk) for role in roles]})
    document = pdf.render(
        "print/roster.html",
        {
            "association_name": request.association.name,
            "day": clock.today(),
            "printed_at": now,
            "roles": roles,
            "rows": rows,
        },
    )
    return pdf.answer(document, _("roster") + f"-{clock.today()}")


def _shift(request, pk):
    return get_object_or_404(Shift, pk=pk, distribution__association=request.association)


def _assignment(request, pk):
    found = ShiftAssignment.objects.filter(association=request.association)
    return get_object_or_404(found.manageable_by(request.standing), pk=pk)


def _back(request):
    return redirect("deliveries:roster", request.standing.slug)


def _thanks(request, distribution):
    day = date_format(distribution.day, "l j F")
    messages.success(request, _("Thank you! You are on the roster of %(day)s.") % {"day": day})
    return _back(request)


@require_POST
@role_required(Role.MEMBER)
def take_shift(request, pk):
    shift = _shift(request, pk)
    household = request.association.households.get(pk=request.standing.household_id)
    actions.take_shift(
        shift, household=household, volunteer=request.user.name, user=request.user, by=request.user, now=clock.now()
    )
    return _thanks(request, shift.distribution)


@require_POST
def leave_shift(request, pk):
    actions.leave_shift(_assignment(request, pk), by=request.user, now=clock.now())
    messages.success(request, _("The place is free again for somebody else."))
    return _back(request)


@require_POST
def request_swap(request, pk):
    actions.request_swap(_assignment(request, pk), by=request.user, now=clock.now())
    messages.success(request, _("Everybody now sees that you look for a replacement. Until then we count on you."))
    return _back(request)


@require_POST
def keep_shift(request, pk):
    actions.keep_shift(_assignment(request, pk), by=request.user, now=clock.now())
    messages.success(request, _("Good: you keep your shift."))
    return _back(request)


@require_POST
@role_required(Role.MEMBER)
def take_over(request, pk):
    """A member takes over the shift of somebody who looks for a replacement."""
    assignment = get_object_or_404(ShiftAssignment, pk=pk, association=request.association)
    household = request.association.households.get(pk=request.standing.household_id)
    actions.replace(
        assignment,
        household=household,
        volunteer=request.user.name,
        user=request.user,
        by=request.user,
        now=clock.now(),
    )
    return _thanks(request, assignment.distribution)


@role_required(*ROSTER_RUNNERS)
def replace(request, pk):
    """Those who run the roster write a replacement in, for people who telephoned."""
    assignment = get_object_or_404(
        ShiftAssignment.objects.select_related("household", "shift__role", "distribution__place"),
        pk=pk,
        association=request.association,
    )
    form = ReplacementForm(request.POST or None, association=request.association)
    if request.method == "POST" and form.is_valid():
        with refused_into(form):
            actions.put_instead(assignment, household=form.cleaned_data["household"], by=request.user, now=clock.now())
            messages.success(request, _("The replacement is on the roster; both households are told."))
            return _back(request)
    return render(request, "deliveries/roster/replace.html", {"form": form, "assignment": assignment})


@role_required(*ROSTER_RUNNERS)
def assign(request, pk):
    """Those who run the roster write a household in, for people without e-mail."""
    shift = get_object_or_404(
        Shift.objects.select_related("role", "distribution__place"),
        pk=pk,
        distribution__association=request.association,
    )
    form = ReplacementForm(request.POST or None, association=request.association)
    form.fields["household"].label = _("Who comes?")
    if request.method == "POST" and form.is_valid():
        with refused_into(form):
            actions.take_shift(shift, household=form.cleaned_data["household"], by=request.user, now=clock.now())
            said = {
                "name": form.cleaned_data["household"].name,
                "day": date_format(shift.distribution.day, "l j F"),
            }
            messages.success(request, _("%(name)s is on the roster of %(day)s.") % said)
            return _back(request)
    return render(request, "deliveries/roster/assign.html", {"form": form, "shift": shift})


@require_POST
@role_required(*ROSTER_RUNNERS)
def mark(request, pk):
    """After the evening: came, excused, did not come."""
    found = ShiftAssignment.objects.select_related("distribution")
    assignment = get_object_or_404(found, pk=pk, association=request.association)
    actions.mark(assignment, to=request.POST.get("to", ""), by=request.user, now=clock.now())
    messages.success(request, _("Noted."))
    back = reverse("deliveries:roster", args=[request.standing.slug])
    return redirect(f"{back}?show=past" if assignment.distribution.day < clock.today() else back)


@role_required(*ROSTER_RUNNERS)
def settings(request):
    """The roles of an evening and how many people each needs."""
    initial = [
        {
            "id": role.pk,
            "name": role.name,
            "needed": role.needed,
            "minimum": role.minimum,
            "is_lead": role.is_lead,
            "farm": role.farm_id,
            "instructions": role.instructions,
        }
        for role in request.association.shift_roles.filter(is_removed=False)
    ]
    forms = Roles(
        request.POST or None, initial=initial, prefix="roles", form_kwargs={"association": request.association}
    )
    if request.method == "POST" and forms.is_valid():
        actions.set_roles(request.association, forms.rows, by=request.user, now=clock.now())
        messages.success(request, _("The roles are saved; distributions to come follow them."))
        return _back(request)
    return render(request, "deliveries/roster/settings.html", {"forms": forms})
