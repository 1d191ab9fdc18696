"""Offers: the list, one of them for who eats and for who prepares it, and what is done with it."""

from django.contrib import messages
from django.db.models import Count, prefetch_related_objects
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from amap import clock, pdf
from amap.access import Role, role_required
from amap.converters import id_in
from amap.dates import date_format, short_day
from amap.errors import Refused
from amap.euros import equivalents_text, euros_text
from amap.models import FarmLiaison
from amap.names import Alphabetical
from amap.pages import page_of
from contracts import calendars
from contracts.actions import offers as actions
from contracts.agreement import NEEDS, missing
from contracts.forms.offers import (
    CancelForm,
)
from contracts.models import (
    ContractOffer,
    FarmBudgetLine,
    OfferAcceptance,
    Subscription,
    WaitingListEntry,
)
from contracts.price_note import agreed_note
from contracts.season_strip import legend, season
from contracts.views.offer_parts import PARTS, managed_offer, offers_here
from contracts.views.pieces import clauses
from contracts.wording import TERMS

Status = ContractOffer.Status
Kind = ContractOffer.Kind
Side = OfferAcceptance.Side

BADGES = {
    Status.DRAFT: "off",
    Status.PROPOSED: "waiting",
    Status.AGREED: "waiting",
    Status.OPEN: "done",
    Status.RUNNING: "done",
    Status.CLOSED: "off",
    Status.CANCELLED: "late",
}


def _manages(request, offer):
    """Does the visitor prepare this offer, with the farm or for the committee?"""
    farms = request.standing.looked_after_farm_ids
    return request.standing.is_committee or offer.farm_id in farms


# The list


def offers(request):
    """What one can sign up for, has signed, will be able to sign; for those who prepare offers, what waits for them."""
    today, standing = clock.today(), request.standing
    rows = (
        offers_here(request)
        .visible_to(standing)
        .with_last_day()
        .annotate(deliveries_count=Count("deliveries"))
        .prefetch_related("sizes")
    )
    over = (Status.CLOSED, Status.CANCELLED)
    signed = dict(
        Subscription.objects.filter(
            association=standing.association_id, household=standing.household_id, status__in=Subscription.HOLDS
        ).values_list("offer", "pk")
        if standing.household_id
        else ()
    )
    groups = {"preparing": [], "open": [], "mine": [], "coming": [], "running": []}
    for offer in rows.exclude(status__in=over).order_by("starts_on", Alphabetical("title")):
        groups[_group(request, offer, signed, today)].append(_card(request, offer, signed))
    page = page_of(request, rows.filter(status__in=over).order_by("-ends_on", Alphabetical("title")))
    titles = {
        "preparing": _("In preparation"),
        "open": _("Open to you") if standing.is_member else _("Open to sign-up"),
        "mine": _("You have signed"),
        "coming": _("Coming"),
        "running": _("Running"),
    }
    return render(
        request,
        "contracts/offers/list.html",
        {
            "groups": [(titles[name], cards) for name, cards in groups.items() if cards],
            "past": [_card(request, offer, signed) for offer in page],
            "page": page,
            "may_create": standing.has(Role.FARMER, Role.LIAISON, Role.COMMITTEE),
        },
    )


def _group(request, offer, signed, today):
    if offer.pk in signed:
        return "mine"
    if _takes_households(offer):
        return "open"
    if offer.status in ContractOffer.LIVE:
        return "coming" if offer.open_on and offer.open_on > today else "running"
    return "preparing" if _manages(request, offer) else "coming"


def _takes_households(offer):
    """May one sign, and is there a delivery left that the farm could prepare (BR-24)? An offer `with_last_day`."""
    if offer.last_day is None or not offer.is_open(clock.today()):
        return False
    zone = timezone.get_default_timezone()
    return calendars.can_be_prepared(offer.last_day, clock.now(), offer.producer_lead_days, zone)


def _card(request, offer, signed):
    sizes = list(offer.sizes.all())
    return {
        "offer": offer,
        "badge": BADGES[offer.status],
        "season": _season_words(offer, offer.deliveries_count),
        "prices": " · ".join(f"{size.label} {euros_text(size.price_cents)}" for size in sizes),
        "meter": _meter(offer) if _manages(request, offer) and offer.status in ContractOffer.LIVE else None,
        "is_full": offer.status in ContractOffer.LIVE and not offer.is_by_date and offer.free_hundredths <= 0,
        "subscription": signed.get(offer.pk),
    }


def _season_words(offer, count):
    if not count:
        return _("No dates yet")
    return ngettext("%(count)s delivery, %(first)s", "%(count)s deliveries, %(first)s – %(last)s", count) % {
        "count": count,
        "first": short_day(offer.starts_on, "j M Y"),
        "last": short_day(offer.ends_on, "j M Y"),
    }


def _meter(offer):
    """Shares signed against shares the farm can grow; nothing to count for quantities by date."""
    if not offer.capacity_hundredths:
        return None
    return {
        "text": _("%(taken)s of %(all)s shares")
        % {"taken": equivalents_text(offer.taken_hundredths), "all": equivalents_text(offer.capacity_hundredths)},
        "percent": offer.taken_hundredths * 100 // offer.capacity_hundredths,
        "short": offer.taken_hundredths < offer.capacity_hundredths,
    }


# One offer


def offer(request, pk):
    """A member's questions first: what, how much, when, where, with whom, how the price is built, and signing.

    For those who prepare it, what it waits for.
    """
    one = get_object_or_404(offers_here(request).visible_to(request.standing).with_last_day(), pk=pk)
    prefetch_related_objects([one], "products" if one.is_by_date else "sizes", "deliveries")
    today, manages = clock.today(), _manages(request, one)
    note = agreed_note(one) if manages or one.budget_visibility == "members" else None
    count = len(one.deliveries.all())
    months = season(one, one.deliveries.all(), today=today)
    context = {
        "offer": one,
        "badge": BADGES[one.status],
        "items": _items(one, count),
        "count": count,
        "rhythm": _rhythm(one),
        "months": months,
        "legend": legend(months),
        "liaisons": _liaisons(one, today),
        "note": note,
        "parts": note.parts() if note else None,
        "payments": _payments(one),
        "clauses": clauses(one, (*TERMS, "mediation_contact")),
        "control": _control(request, one, today, has_budget=note is not None) if manages else None,
    } | _mine(request, one)
    return render(request, "contracts/offers/offer.html", context)


def _items(one, count):
    if one.is_by_date:
        return [
            {"label": product.name, "unit": product.unit, "price": product.price_cents}
            for product in one.products.all()
        ]
    return [
        {
            "label": size.label,
            "price": size.price_cents,
            "season": size.price_cents * count,
            "reason": size.price_reason,
            "coefficient": size.coefficient_hundredths,
        }
        for size in one.sizes.all()
    ]


def _rhythm(one):
    """“Every Thursday” in words."""
    return ngettext("Every %(day)s", "Every %(weeks)s weeks, on %(day)s", one.interval_weeks) % {
        "day": WEEKDAYS[one.weekday],
        "weeks": one.interval_weeks,
    }


def _liaisons(one, today):
    mandates = FarmLiaison.objects.of(one.association_id, one.farm_id, today)
    return list(mandates.values_list("user__name", flat=True))


def _payments(one):
    """How one pays, as words."""
    methods = {"cheque": _("cheques"), "transfer": _("bank transfers")}
    *most, last = sorted(one.instalment_counts) or [1]
    counts = _("%(some)s or %(last)s") % {"some": ", ".join(map(str, most)), "last": last} if most else str(last)
    return {
        "methods": _(" or ").join(methods[name] for name in one.methods),
        "counts": _("in one payment") if last == 1 else _("in %(counts)s payments") % {"counts": counts},
        "dates": ", ".join(date_format(day, "DATE_FORMAT") for day in one.chosen_payment_days)
        or one.get_date_strategy_display(),
    }


def _mine(request, one):
    """What the reader's household has to do with the offer: signed, waiting, may sign, or when it may."""
    household, nothing = request.standing.household_id, {"subscription": None, "is_waiting": False, "may_sign": False}
    if not household or one.status in ContractOffer.IN_PREPARATION:
        return nothing
    mine = Subscription.objects.filter(offer=one, household=household, status__in=Subscription.HOLDS)
    subscription = mine.values_list("pk", flat=True).first()
    if subscription:
        return nothing | {"subscription": subscription}
    waiting = WaitingListEntry.objects.filter(offer=one, household=household, status=WaitingListEntry.Status.WAITING)
    is_open = _takes_households(one)
    return {
        "subscription": None,
        "may_sign": is_open,
        "is_full": not one.is_by_date and one.free_hundredths <= 0,
        "is_waiting": is_open and waiting.exists(),
    }


def _control(request, one, today, *, has_budget):
    """What those who prepare the offer need: whom it waits for, what it lacks, what they may do now."""
    in_preparation = one.status in ContractOffer.IN_PREPARATION
    lacking = missing(one) if in_preparation else []
    yes = list(one.acceptances.filter(version=one.version).select_related("by")) if in_preparation else []
    accepted = {acceptance.side for acceptance in yes}
    mine = {
        side
        for side, may in (
            (Side.FARM, one.farm_id in request.standing.farm_ids),
            (Side.COMMITTEE, request.standing.is_committee),
        )
        if may and side not in accepted
    }
    has_accepted = any(acceptance.by_id == request.user.pk for acceptance in yes)
    return {
        "sections": _sections(request, one, lacking, has_budget=has_budget) if in_preparation else [],
        "lacking": lacking,
        "acceptances": yes,
        "awaited": [Side(side).label for side in Side if side not in accepted] if one.status == Status.PROPOSED else [],
        "sides": []
        if has_accepted or one.status != Status.PROPOSED
        else [(side, Side(side).label) for side in sorted(mine)],
        "needs_another": has_accepted and bool(mine) and one.status == Status.PROPOSED,
        "may_propose": one.status == Status.DRAFT and not lacking,
        "may_withdraw": one.status in (Status.PROPOSED, Status.AGREED),
        "may_open": one.status == Status.AGREED and request.standing.is_committee,
        "opens_later": one.open_on and one.open_on > today,
        "may_cancel": Status.CANCELLED in ContractOffer.MOVES.get(one.status, ())
        and (in_preparation or request.standing.is_committee),
        "meter": _meter(one) if one.status in ContractOffer.LIVE else None,
        "is_draft": one.status == Status.DRAFT,
        "in_preparation": in_preparation,
    }


def _sections(request, one, lacking, *, has_budget):
    """The task list of BR-10: one line per page, with what it still lacks."""
    slug = request.standing.slug
    places = {name: (reverse(route, args=[slug, one.pk]), label) for name, (route, label) in PARTS.items()}
    places["parties"] = (reverse("amap:farm", args=[slug, one.farm.slug]), _("The farm, the place, the liaison"))
    return [
        {
            "url": url,
            "label": label,
            "is_left_out": name == "budget" and not has_budget,
            "lacks": [str(NEEDS[name][key]) for key in lacking if key in NEEDS.get(name, ())],
        }
        for name, (url, label) in places.items()
    ]


# Agreeing, opening, ending


def _done(request, one, text):
    messages.success(request, text)
    return redirect("contracts:offer", request.standing.slug, one.pk)


@require_POST
def propose(request, pk):
    """Show the draft to the other side."""
    one = managed_offer(request, pk)
    actions.propose(one, by=request.user, now=clock.now())
    return _done(
        request,
        one,
        _("Version %(version)s is proposed. A farmer and the committee can now accept it.") % {"version": one.version},
    )


@require_POST
def accept(request, pk):
    """One side's yes, to the version its page showed."""
    one = managed_offer(request, pk)
    side, version = request.POST.get("side"), request.POST.get("version", "")
    if side not in Side.values or not id_in(version):
        raise Http404
    actions.accept(one, side=side, version=int(version), by=request.user, now=clock.now())
    if one.status == Status.AGREED:
        return _done(request, one, _("Both sides have accepted: the offer is agreed. The committee can open sign-up."))
    return _done(request, one, _("You have accepted for %(side)s.") % {"side": Side(side).label})


@require_POST
def withdraw(request, pk):
    """Back to draft."""
    one = managed_offer(request, pk)
    actions.withdraw(one, by=request.user, now=clock.now())
    return _done(
        request, one, _("Back to draft, as version %(version)s. Both sides have been told.") % {"version": one.version}
    )


@require_POST
@role_required(Role.COMMITTEE)
def open(request, pk):
    """Households may sign."""
    one = managed_offer(request, pk)
    actions.open(one, by=request.user, now=clock.now())
    return _done(request, one, _("Sign-up is open, and every household is told."))


def cancel(request, pk):
    """Why, and what follows; then it is done."""
    one = managed_offer(request, pk)
    if one.status in ContractOffer.LIVE and not request.standing.is_committee:
        raise Http404
    form = CancelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.cancel(one, by=request.user, now=clock.now(), reason=form.cleaned_data["reason"])
        except Refused as refused:
            refused.into(form)
        else:
            return _done(request, one, _("The offer is cancelled."))
    signed = Subscription.objects.filter(offer=one).live().count()
    return render(request, "contracts/offers/cancel.html", {"offer": one, "form": form, "signed": signed})


def price_note(request, pk):
    """The price note as PDF (D17), for those who see the budget."""
    one = get_object_or_404(offers_here(request).visible_to(request.standing), pk=pk)
    note = agreed_note(one) if _manages(request, one) or one.budget_visibility == "members" else None
    if note is None:
        raise Http404
    categories = dict(FarmBudgetLine.Category.choices)
    content = pdf.render(
        "print/price_note.html",
        {
            "association_name": one.association.name,
            "day": clock.today(),
            "printed_at": clock.now(),
            "offer": one,
            "note": note,
            "parts": note.parts(),
            "lines": [(categories[category], label, cents) for category, label, cents in note.lines],
            "sizes": [] if one.is_by_date else _items(one, note.deliveries),
        },
    )
    return pdf.answer(content, f"prix-{one.code}-v{one.version}")
