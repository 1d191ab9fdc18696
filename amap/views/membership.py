"""Memberships of a period: who has paid, the pile of fees, one fee and its receipt."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, FilteredRelation, Q, Sum
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from amap import clock
from amap.access import Role, role_required
from amap.actions import membership as actions
from amap.errors import refused_into
from amap.forms.membership import CancelForm, CorrectionForm, FeeForm, PeriodForm, PileForm
from amap.models import Household, Membership, MembershipPeriod
from amap.pages import page_of, words_of

READERS = (Role.COMMITTEE, Role.TREASURER, Role.SECRETARY)
WRITERS = (Role.COMMITTEE, Role.TREASURER)
SUMS = ("amap_cents", "network_cents", "donation_cents", "solidarity_cents", "total_cents")


def _period(periods, asked, today):
    """The period asked for, else the one of today, else the latest. None when there is none."""
    for period in periods:
        if str(period.pk) == asked:
            return period
    return next((p for p in periods if p.starts_on <= today <= p.ends_on), periods[0] if periods else None)


def _lines(association_id, period):
    """The households of a period, each with its membership as columns."""
    return (
        Household.objects.filter(association=association_id, joined_on__lte=period.ends_on)
        .filter(Q(left_on=None) | Q(left_on__gt=period.starts_on) | Q(memberships__period=period))
        .annotate(own=FilteredRelation("memberships", condition=Q(memberships__period=period)))
        .annotate(status=F("own__status"), total_cents=F("own__total_cents"), paid_on=F("own__paid_on"))
        .annotate(method=F("own__method"))
        .distinct()
    )


@role_required(*READERS)
def memberships(request):
    """The fees of a period: totals by line, who has paid, and a pile received at once."""
    standing, today = request.standing, clock.today()
    periods = list(MembershipPeriod.objects.filter(association=standing.association_id))
    period = _period(periods, request.GET.get("period", ""), today)
    if period is None:
        return render(request, "amap/membership/memberships.html", {"periods": [], "may_write": standing.has(*WRITERS)})
    pile = PileForm(association=request.association, initial={"paid_on": today, "method": "cheque"})
    return _list(request, periods, period, pile)


def _list(request, periods, period, pile, status=200):
    """The list of a period, as the address filters it. `pile`: the form under it, perhaps with what is wrong."""
    standing = request.standing
    is_paid = Q(status=Membership.Status.PAID)
    lines = _lines(standing.association_id, period)
    show = request.GET.get("show", "")
    # A household that never paid has no membership row at all: its state is empty.
    awaited, is_cancelled = Q(status=None) | Q(status=Membership.Status.PENDING), Q(status=Membership.Status.CANCELLED)
    asked = {"paid": is_paid, "awaited": awaited, "cancelled": is_cancelled}.get(show)
    shown = lines.filter(asked) if asked else lines
    if words := words_of(request):
        shown = shown.called(words)
    sums = Membership.objects.filter(period=period).aggregate(
        count=Count("pk", filter=is_paid),
        cancelled=Count("pk", filter=is_cancelled),
        **{name: Sum(name, filter=is_paid, default=0) for name in SUMS},
    )
    households = lines.count() - sums["cancelled"]
    page = page_of(request, shown)
    methods = dict(Membership.Method.choices)
    ticked = set(pile.data.getlist("households")) if pile.is_bound else ()
    rows = [
        (one, one.status == Membership.Status.PAID, methods.get(one.method, ""), str(one.pk) in ticked) for one in page
    ]
    shows = [("", _("all")), ("awaited", _("fee awaited")), ("paid", _("paid"))]
    return render(
        request,
        "amap/membership/memberships.html",
        {
            "periods": periods,
            "period": period,
            "page": page,
            "rows": rows,
            "show": show,
            "q": words,
            "sums": sums,
            "households": households,
            "awaited": households - sums["count"],
            "percent": 100 * sums["count"] // households if households else 0,
            "pile": pile,
            "may_write": standing.has(*WRITERS),
            "to_tick": standing.has(*WRITERS) and any(not paid for _household, paid, _method, _ticked in rows),
            "shows": [*shows, ("cancelled", _("cancelled"))] if sums["cancelled"] else shows,
        },
        status=status,
    )


@role_required(*WRITERS)
@require_POST
def receive(request, pk):
    """A pile of fees of a period, all at once."""
    period = get_object_or_404(MembershipPeriod, association=request.standing.association_id, pk=pk)
    form = PileForm(request.POST, association=request.association)
    if form.is_valid():
        with refused_into(form):
            count = actions.receive(
                request.association, period=period, **form.cleaned_data, by=request.user, now=clock.now()
            )
            said = ngettext("%(count)d fee is recorded.", "%(count)d fees are recorded.", count)
            messages.success(request, said % {"count": count})
            return _to(request, period, show="awaited")
    periods = list(MembershipPeriod.objects.filter(association=request.standing.association_id))
    return _list(request, periods, period, form, status=422)


def _to(request, period, **query):
    """Back to the list of a period."""
    query = {"period": period.pk} | query
    return redirect(reverse("amap:memberships", args=[request.standing.slug], query=query))


def membership(request, household_pk, pk):
    """One household in one period: the receipt, or the form that makes it one."""
    standing = request.standing
    household = get_object_or_404(
        Household.objects.filter(association=standing.association_id).visible_to(standing), pk=household_pk
    )
    if not standing.runs_association and household.pk != standing.household_id:
        raise PermissionDenied(_("the treasurer"))
    period = get_object_or_404(MembershipPeriod, association=standing.association_id, pk=pk)
    found = Membership.objects.filter(period=period, household=household).select_related("recorded_by").first()
    is_paid = found is not None and found.status == Membership.Status.PAID
    may_write = standing.has(*WRITERS)
    due_cents = period.fee_on(household.joined_on)
    form = None
    if may_write and not is_paid:
        initial = {"fee_cents": due_cents, "paid_on": clock.today(), "method": "cheque"}
        form = FeeForm(request.POST or None, period=period, initial=initial)
    if request.method == "POST":
        if not may_write:
            raise PermissionDenied(_("the treasurer"))
        if form is None:
            messages.info(request, _("This fee had been recorded already."))
            return redirect("amap:membership", standing.slug, household.pk, period.pk)
        if form.is_valid():
            with refused_into(form):
                actions.pay(household, period=period, **form.cleaned_data, by=request.user, now=clock.now())
                messages.success(request, _("The fee of %(name)s is recorded.") % {"name": household.name})
                return redirect("amap:membership", standing.slug, household.pk, period.pk)
    return render(
        request,
        "amap/membership/membership.html",
        {
            "household": household,
            "period": period,
            "membership": found,
            "is_paid": is_paid,
            "due_cents": due_cents,
            "due_parts": period.parts(due_cents),
            "form": form,
            "correction": CorrectionForm() if may_write and is_paid else None,
            "cancelling": CancelForm() if may_write and found and found.status == Membership.Status.PENDING else None,
        },
    )


@role_required(*WRITERS)
@require_POST
def correct(request, pk):
    """A fee recorded by mistake is awaited again; the book keeps both."""
    done, why = _("The fee of %(name)s is awaited again."), _("Say why the recorded fee was wrong.")
    return _for_a_reason(request, pk, CorrectionForm(request.POST), actions.correct, done=done, why=why)


@role_required(*WRITERS)
@require_POST
def cancel(request, pk):
    """A fee nobody waits for any more."""
    done, why = _("The fee of %(name)s is no longer awaited."), _("Say why the fee is no longer awaited.")
    return _for_a_reason(request, pk, CancelForm(request.POST), actions.cancel, done=done, why=why)


def _for_a_reason(request, pk, form, deed, *, done, why):
    """Do that deed to a membership for the reason given, and say it is done; without one, ask why."""
    rows = Membership.objects.filter(association=request.standing.association_id).select_related("household")
    found = get_object_or_404(rows, pk=pk)
    if form.is_valid():
        deed(found, reason=form.cleaned_data["reason"], by=request.user, now=clock.now())
        messages.success(request, done % {"name": found.household.name})
    else:
        messages.error(request, why)
    return redirect("amap:membership", request.standing.slug, found.household_id, found.period_id)


@role_required(*WRITERS)
def period_new(request):
    """A new membership year, proposed as the one after the last."""
    last = MembershipPeriod.objects.filter(association=request.standing.association_id).first()
    initial = {}
    if last:
        initial = {
            "starts_on": _a_year_later(last.starts_on),
            "ends_on": _a_year_later(last.ends_on),
            "amap_part_cents": last.amap_part_cents,
            "network_part_cents": last.network_part_cents,
            "reduced_from": last.reduced_from and _a_year_later(last.reduced_from),
            "reduced_percent": last.reduced_percent,
            "free_minimum_cents": last.free_minimum_cents,
        }
    form = PeriodForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        with refused_into(form):
            made = actions.add_period(request.association, **form.cleaned_data, by=request.user, now=clock.now())
            messages.success(request, _("The period %(period)s is there.") % {"period": made})
            return _to(request, made)
    return render(request, "amap/membership/period.html", {"form": form})


def _a_year_later(day):
    return day.replace(year=day.year + 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


@role_required(*WRITERS)
def period_edit(request, pk):
    """Dates and fee of a period."""
    period = get_object_or_404(MembershipPeriod, association=request.standing.association_id, pk=pk)
    form = PeriodForm(request.POST or None, initial={name: getattr(period, name) for name in PeriodForm.base_fields})
    if request.method == "POST" and form.is_valid():
        with refused_into(form):
            actions.edit_period(period, **form.cleaned_data, by=request.user, now=clock.now())
            messages.success(request, _("Saved."))
            return _to(request, period)
    return render(request, "amap/membership/period.html", {"form": form, "period": period})
