"""Distributions: the season, one evening, planning and moving."""

from datetime import timedelta

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from amap import clock
from amap.access import Role, role_required
from amap.errors import refused_into
from amap.pages import page_of, usual
from contracts.season_strip import months
from deliveries import sheet as reader
from deliveries.actions import distributions as actions
from deliveries.actions import roster
from deliveries.forms.distributions import MoveForm
from deliveries.harvests import harvests
from deliveries.models import Distribution, ShiftAssignment
from deliveries.models.distributions import list_from

RUNNERS = (Role.COMMITTEE, Role.DISTRIBUTION_LEAD)
HALF_YEAR = timedelta(days=183)
EVENINGS_A_PAGE = 12


def evening_or_404(request, pk):
    """A distribution of this association, with its place and association."""
    evenings = Distribution.objects.select_related("place", "association")
    return get_object_or_404(evenings, association=request.standing.association_id, pk=pk)


def distributions(request):
    """The season at a glance, the evenings to come, or those that are over."""
    standing, today = request.standing, clock.today()
    days = (today - 2 * HALF_YEAR, today + 2 * HALF_YEAR)
    evenings = list(
        Distribution.objects.filter(association=standing.association_id, day__range=days)
        .order_by("day", "opens_at")
        .values_list("pk", "day", "place", "place__name", "opens_at", "closes_at", "status", named=True)
    )
    coming = reader.season(standing.association_id, days, standing.household_id)
    show_past = request.GET.get("show") == "past"
    shown = [evening for evening in evenings if (evening.day < today) == show_past]
    if show_past:
        shown.reverse()
    page = page_of(request, shown, EVENINGS_A_PAGE)
    return render(
        request,
        "deliveries/distributions/distributions.html",
        {
            "months": _months(standing, evenings, coming, today),
            "legend": _legend(standing),
            "page": page,
            "usual": usual(evenings, _where),
            "rows": [
                (evening, _where(evening), *_what(coming.get((evening.day, evening.place), ()))) for evening in page
            ],
            "show_past": show_past,
            "tabs": [
                {"label": _("Coming"), "url": "?", "is_current": not show_past},
                {"label": _("Past"), "url": "?show=past", "is_current": show_past},
            ],
            "may_plan": standing.has(*RUNNERS),
        },
    )


def _where(evening):
    return reader.when_and_where(evening.opens_at, evening.closes_at, evening.place__name)


def _what(deliveries):
    """(what the household takes, who comes) in words."""
    mine = [reader.taken_text(title, contents) for title, _farm, contents in deliveries if contents]
    farms = dict.fromkeys(farm for _title, farm, _contents in deliveries)
    return reader.taken_together(mine), ", ".join(farms)


def _months(standing, evenings, coming, today):
    """The calendar strip from this month on."""
    evenings = [evening for evening in evenings if evening.day >= today.replace(day=1)]
    following = next((evening.pk for evening in evenings if evening.day >= today), None)
    strip = []
    for evening in evenings:
        mine, farms = _what(coming.get((evening.day, evening.place), ()))
        state = "done" if evening.day < today else "mine" if mine else ""
        url = reverse("deliveries:distribution", args=[standing.slug, evening.pk])
        strip.append((evening.day, f"{state} next" if evening.pk == following else state, mine or farms, url))
    return months(strip)


def _legend(standing):
    legend = [{"state": "done", "text": _("past")}, {"state": "next", "text": _("the next one")}]
    if standing.is_member:
        legend.append({"state": "mine", "text": _("you collect")})
    return [*legend, {"state": "", "text": _("a distribution") if not standing.is_member else _("not for you")}]


def distribution(request, pk):
    """One evening: what I collect, which farms come with what, who helps."""
    evening, standing, now = evening_or_404(request, pk), request.standing, clock.now()
    association = request.association
    if standing.household_id:
        mine = reader.sheet(evening, household_id=standing.household_id)
        contents = {basket.delivery_id: basket for line in mine.lines for basket in line.baskets}
        deliveries = mine.deliveries
    else:
        contents, deliveries = {}, reader.deliveries_of(evening)
    lists = harvests(deliveries)
    visible = list_from(evening.day, association)
    farms = standing.looked_after_farm_ids
    runs = standing.has(*RUNNERS)
    rows = []
    for delivery in deliveries.values():
        may_post = standing.is_committee or delivery.farm_id in farms
        harvest = lists.get(delivery.id) if now >= visible or may_post else None
        awaits_list = delivery.kind == "harvest_share" and delivery.id not in lists
        basket = contents.get(delivery.id)
        rows.append(
            {
                "delivery": delivery,
                "harvest": harvest,
                "basket": basket,
                "contents": reader.contents_text(basket.contents) if basket else "",
                "portions": harvest.basket(basket.contents) if harvest and basket else [],
                "awaits_list": awaits_list,
                "may_post": may_post and delivery.status not in ("held", "cancelled"),
                "is_awaited_from_me": awaits_list and delivery.farm_id in farms,
            }
        )
    return render(
        request,
        "deliveries/distributions/distribution.html",
        {
            "evening": evening,
            "rows": rows,
            "mine": [row for row in rows if row["basket"]],
            "visible": visible,
            "is_visible": now >= visible,
            "is_over": evening.day < clock.today(),
            "locks": evening.locks(association.lock_hours_before),
            "volunteers": reader.volunteers(evening),
            "instructions": evening.place.instructions if runs or _helps(evening, standing) else "",
            "runs": runs,
            "sees_quantities": runs or any(row["delivery"].farm_id in farms for row in rows),
        },
    )


def _helps(evening, standing):
    """The visitor's household is on the roster that evening."""
    return evening.assignments.filter(household=standing.household_id, status__in=ShiftAssignment.HOLDS).exists()


@require_POST
@role_required(*RUNNERS)
def plan(request):
    """Make the evenings of all promised days ahead."""
    made = actions.plan(request.association, today=clock.today())
    roster.open_shifts(request.association, today=clock.today())
    if made:
        text = ngettext("%(count)s distribution planned.", "%(count)s distributions planned.", len(made))
        messages.success(request, text % {"count": len(made)})
    else:
        messages.info(request, _("Every delivery day ahead already has its distribution."))
    return redirect("deliveries:distributions", request.standing.slug)


@role_required(*RUNNERS)
def move(request, pk):
    """Another day, place or hour: first who is affected, then the deed (BR-13)."""
    evening, now = evening_or_404(request, pk), clock.now()
    form = MoveForm(request.POST or None, distribution=evening)
    concerned = None
    if request.method == "POST" and form.is_valid():
        there = dict(form.cleaned_data)
        reason = there.pop("reason")
        with refused_into(form):
            actions.refuse_move(evening, **there, now=now)
            concerned = actions.concerned(evening)
            if request.POST.get("do") == "move":
                actions.move(evening, **there, reason=reason, by=request.user, now=now)
                text = ngettext(
                    "Moved. %(count)s person is being told.",
                    "Moved. %(count)s people are being told.",
                    len(concerned.people),
                )
                messages.success(request, text % {"count": len(concerned.people)})
                return redirect("deliveries:distribution", request.standing.slug, pk)
    return render(
        request,
        "deliveries/distributions/move.html",
        {"evening": evening, "form": form, "concerned": None if form.errors else concerned},
    )
