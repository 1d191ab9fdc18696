"""The pages an offer is written on, one subject each, gone through in order."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from amap import clock
from amap.access import Role, role_required
from amap.converters import id_in
from amap.dates import date_format
from amap.errors import Refused, refused_into
from amap.models import Farm
from amap.words import pair
from contracts import calendars
from contracts.actions import drafts
from contracts.agreement import season_is_short
from contracts.forms.offers import (
    BasicsForm,
    BudgetForm,
    BudgetLineForm,
    CalendarForm,
    DatesForm,
    DescriptionForm,
    NewOfferForm,
    PaymentForm,
    ProductForm,
    ProductsForm,
    Rows,
    SharesForm,
    SizeForm,
    TermsForm,
)
from contracts.models import ContractOffer, FarmBudget, FarmBudgetLine
from contracts.price_note import price_note
from contracts.season_strip import gaps, legend, season

Status = ContractOffer.Status

# In the order they are gone through.
PARTS = {
    "basics": ("contracts:offer_edit", gettext_lazy("What and where")),
    "calendar": ("contracts:offer_calendar", gettext_lazy("Dates")),
    "budget": ("contracts:offer_budget", gettext_lazy("Budget")),
    "shares": ("contracts:offer_shares", gettext_lazy("Shares and price")),
    "payment": ("contracts:offer_payment", gettext_lazy("Payment")),
    "terms": ("contracts:offer_terms", gettext_lazy("Terms")),
}

# In French, as all that a contract prints.
USUAL_SIZES = [
    {"label": "Part entière", "coefficient_hundredths": 100},
    {"label": "Demi-part", "coefficient_hundredths": 50},
]


def offers_here(request):
    """The offers of this association, with what their pages name; rights come on top."""
    return ContractOffer.objects.filter(association=request.standing.association_id).select_related(
        "association", "farm", "place"
    )


def managed_offer(request, pk):
    """An offer the visitor prepares; a 404 for others."""
    return get_object_or_404(offers_here(request).manageable_by(request.standing), pk=pk)


@role_required(Role.FARMER, Role.LIAISON, Role.COMMITTEE)
def offer_new(request):
    """First from what: a farm, or one of its previous offers; then what and where."""
    standing = request.standing
    farms = Farm.objects.filter(partnerships__association=standing.association_id, partnerships__ended_on=None)
    if not standing.is_committee:
        farms = farms.filter(pk__in=standing.looked_after_farm_ids)
    source = farm = None
    if pk := id_in(request.GET.get("from", "")):
        source = managed_offer(request, pk)
        farm = get_object_or_404(farms, pk=source.farm_id)
    elif pk := id_in(request.GET.get("farm", "")):
        farm = get_object_or_404(farms, pk=pk)
    if farm is None:
        previous = offers_here(request).manageable_by(standing).exclude(starts_on=None).order_by("-starts_on")
        return render(
            request,
            "contracts/offers/new_from.html",
            {"farms": [(one, [o for o in previous if o.farm_id == one.pk][:5]) for one in farms]},
        )
    form = NewOfferForm(
        request.POST or None,
        association=request.association,
        source=source,
        initial={"kind": ContractOffer.Kind.HARVEST_SHARE},
    )
    if request.method == "POST" and form.is_valid():
        values = {"kind": source.kind if source else None} | form.cleaned_data
        try:
            made = drafts.create(
                request.association, farm=farm, start_from=source, by=request.user, now=clock.now(), **values
            )
        except Refused as refused:
            refused.into(form)
        else:
            messages.success(request, _("The draft is there. Nobody else sees it before you propose it."))
            return redirect("contracts:offer_calendar", standing.slug, made.pk)
    return render(request, "contracts/offers/new.html", {"form": form, "farm": farm, "source": source})


def _write(request, one, part, form, save=None, *, rows=None, template="part", **context):
    """One page of an offer: show its form; when it is right, save it, say what that did, go to the next page.

    `save`: an action on what was typed, where it is more than columns of the offer.
    """
    version = one.version
    # Form and rows are both looked at, so that all that is wrong is said at once.
    if request.method == "POST" and all([form.is_valid(), rows is None or rows.is_valid()]):
        try:
            if save:
                save()
            else:
                drafts.edit(one, by=request.user, now=clock.now(), **form.cleaned_data)
        except Refused as refused:
            refused.into(form)
            one.refresh_from_db()
        else:
            return _saved(request, one, part, version)
    names = list(PARTS)
    return render(
        request,
        f"contracts/offers/{template}.html",
        {
            "offer": one,
            "form": form,
            "rows": rows,
            "title": PARTS[part][1],
            "steps": [label for _route, label in PARTS.values()],
            "current": names.index(part) + 1,
            "is_draft": one.status == Status.DRAFT,
            "voids": one.status in (Status.PROPOSED, Status.AGREED),
            "next_version": one.version + 1,
        }
        | context,
    )


def _saved(request, one, part, version):
    if one.version != version:
        messages.warning(
            request,
            _("Saved as version %(version)s, a draft again. What was accepted is void, and both sides have been told.")
            % {"version": one.version},
        )
    else:
        messages.success(request, _("Saved."))
    names = list(PARTS)
    if "more" in request.POST:
        return redirect(request.path)
    if one.status == Status.DRAFT and part != names[-1] and "back" not in request.POST:
        return redirect(PARTS[names[names.index(part) + 1]][0], request.standing.slug, one.pk)
    return redirect("contracts:offer", request.standing.slug, one.pk)


def offer_edit(request, pk):
    """What and where; from the opening on only the description (BR-14)."""
    one = managed_offer(request, pk)
    form_class = BasicsForm if one.status in ContractOffer.IN_PREPARATION else DescriptionForm
    return _write(request, one, "basics", form_class(request.POST or None, offer=one))


def offer_calendar(request, pk):
    """The rhythm of the season; underneath, its dates one by one."""
    one = managed_offer(request, pk)
    form = CalendarForm(request.POST or None, offer=one)

    def save():
        drafts.set_calendar(one, by=request.user, now=clock.now(), **form.cleaned_data)

    return _calendar(request, one, form, DatesForm(choices=_dates(one)), save)


def _dates(one):
    """The dates of a season as `DatesForm` takes them, among those its rhythm would have besides."""
    days = list(one.deliveries.values_list("day", flat=True))
    others = gaps(one, days)
    said = calendars.holidays_among(days) | dict.fromkeys(others, _("no delivery"))
    return [
        (day, pair(_day(day), said[day]) if day in said else _day(day), day in days) for day in sorted(days + others)
    ]


def _day(day):
    return date_format(day, "l j F Y")


def _calendar(request, one, form, dates, save=None):
    months = season(one, one.deliveries.all(), today=clock.today())
    days = list(one.deliveries.values_list("day", flat=True))
    return _write(
        request,
        one,
        "calendar",
        form,
        save,
        template="calendar",
        months=months,
        legend=legend(months),
        dates=dates,
        holidays=[f"{_day(day)} ({name})" for day, name in calendars.holidays_among(days).items()],
        is_short=bool(days) and season_is_short(one, days),
        count=len(days),
    )


@require_POST
def offer_dates(request, pk):
    """Keep the ticked dates, and add one."""
    one = managed_offer(request, pk)
    form = DatesForm(request.POST, choices=_dates(one))
    if form.is_valid():
        version, days = one.version, form.days()
        with refused_into(form):
            drafts.set_days(one, days=days, by=request.user, now=clock.now())
            if one.version != version:
                return _saved(request, one, "calendar", version)
            words = ngettext("%(count)s delivery.", "%(count)s deliveries.", len(days))
            messages.success(request, words % {"count": len(days)})
            return redirect("contracts:offer_calendar", request.standing.slug, one.pk)
        one.refresh_from_db()
    return _calendar(request, one, CalendarForm(offer=one), form)


def offer_budget(request, pk):
    """The farm's yearly costs, and the price they come to (BR-9)."""
    one = managed_offer(request, pk)
    budget = FarmBudget.objects.filter(offer=one).prefetch_related("lines").first()
    lines = [
        {"category": line.category, "label": line.label, "amount_cents": line.amount_cents}
        for line in (budget.lines.all() if budget else ())
    ]
    data = request.POST or None
    start = {
        "amap_share_hundredths": budget.amap_share_hundredths if budget else 10000,
        "planned_equivalents_hundredths": budget.planned_equivalents_hundredths
        if budget
        else one.capacity_hundredths or None,
        "budget_visibility": one.budget_visibility,
    }
    form = BudgetForm(data, initial=start)
    new = [{"category": category} for category in FarmBudgetLine.Category.values]
    rows = Rows(BudgetLineForm, "line", data=data, initial=lines or new, blank=3 if lines else 1)

    def save():
        lines = [(row["category"], row["label"], row["amount_cents"]) for row in rows.cleaned]
        drafts.set_budget(one, lines=lines, by=request.user, now=clock.now(), **form.cleaned_data)

    note = price_note(one)
    return _write(
        request,
        one,
        "budget",
        form,
        save,
        rows=rows,
        template="budget",
        note=note,
        parts=note.parts() if note else None,
    )


def offer_shares(request, pk):
    """Sizes and their prices, or the products of a grid."""
    one = managed_offer(request, pk)
    data, note = request.POST or None, price_note(one)
    if one.is_by_date:
        form = ProductsForm(data, offer=one)
        products = list(one.products.values("name", "unit", "price_cents"))
        rows = Rows(ProductForm, "product", data=data, initial=products, blank=4)
    else:
        form = SharesForm(data, offer=one)
        if note and note.computed_cents and not one.reference_price_cents:
            form.initial["reference_price_cents"] = note.computed_cents
        if not one.reference_price_cents and not note:
            form.initial["reference_price_cents"] = None
        form.initial["capacity_hundredths"] = one.capacity_hundredths or (note and note.equivalents_hundredths) or None
        rows = Rows(SizeForm, "size", data=data, initial=drafts.sizes_as_typed(one) or USUAL_SIZES, blank=2)

    def save():
        kind = "products" if one.is_by_date else "sizes"
        drafts.edit(one, by=request.user, now=clock.now(), **{kind: rows.cleaned}, **form.cleaned_data)

    return _write(request, one, "shares", form, save, rows=rows, template="shares", note=note)


def offer_payment(request, pk):
    """How and when households pay, and when they may sign."""
    one = managed_offer(request, pk)
    return _write(request, one, "payment", PaymentForm(request.POST or None, offer=one))


def offer_terms(request, pk):
    """The words of the contract."""
    one = managed_offer(request, pk)
    lede = _("The contract is in French, whatever language you read.")
    return _write(request, one, "terms", TermsForm(request.POST or None, offer=one), lede=lede)
