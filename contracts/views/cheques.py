"""The cheques somebody keeps for a farm: the pile they come in with, the slips they leave on."""

from django.contrib import messages
from django.db.models import Count
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from amap import clock, pdf
from amap.access import Role, role_required
from amap.converters import id_in
from amap.errors import Refused
from amap.euros import euros_text
from amap.models import Farm, Household
from amap.names import Alphabetical
from amap.pages import page_of, words_of
from contracts import ledger
from contracts.actions import payments as acts
from contracts.forms.payments import ChosenForm, OnDayForm, Pile, cheque_rows
from contracts.models import Cheque, DepositBatch, Instalment
from contracts.views.payments import farm_of, instalments_here

KEEPERS = (Role.COMMITTEE, Role.TREASURER, Role.LIAISON)
Status = Instalment.Status
Method = Instalment.Method


def kept(request):
    """The instalments whose cheques the visitor keeps (BR-38)."""
    return instalments_here(request).manageable_by(request.standing)


def kept_farms(request):
    """[(id, slug, name)] of the farms whose cheques the visitor keeps."""
    farms = Farm.objects.filter(partnerships__association=request.standing.association_id)
    if not request.standing.has(Role.COMMITTEE, Role.TREASURER):
        farms = farms.filter(pk__in=request.standing.liaison_farm_ids)
    return list(farms.distinct().values_list("pk", "slug", "name").order_by(Alphabetical("name")))


def farm_tabs(route, request, farms, current, counts):
    """Tabs of one page for the farms something is counted for, and the one shown; none for a single one."""
    url = reverse(route, args=[request.standing.slug])
    tabs = [
        {"label": name, "url": f"{url}?farm={slug}", "is_current": pk == current[0], "count": counts.get(pk) or ""}
        for pk, slug, name in farms
        if pk in counts or pk == current[0]
    ]
    return tabs if len(tabs) > 1 else []


# The pile of cheques


@role_required(*KEEPERS)
@require_GET
def payments(request):
    """Every awaited cheque of a farm, by household, ready to be typed in."""
    farms = kept_farms(request)
    awaited = kept(request).awaited().filter(method=Method.CHEQUE)
    counts = dict(awaited.order_by().values_list("farm").annotate(Count("pk")))
    farm = farm_of(request, sorted(farms, key=lambda one: one[0] not in counts))
    if farm is None:
        return render(request, "contracts/payments/pile.html", {"farm": None})
    households = Household.objects.filter(pk__in=awaited.filter(farm=farm[0]).values("household")).order_by(
        Alphabetical("name"), "pk"
    )
    if words := words_of(request):
        households = households.called(words)
    page = page_of(request, households, size=20)
    pile = Pile(_awaited(awaited.filter(farm=farm[0], household__in=list(page))), today=clock.today())
    context = _pile_context(request, farms, farm, counts, pile) | {"page": page, "words": words}
    return render(request, "contracts/payments/pile.html", context)


def _awaited(instalments):
    return list(
        instalments.select_related("household", "subscription").order_by(
            Alphabetical("household__name"), "household_id", "deposit_not_before", "number"
        )
    )


def _pile_context(request, farms, farm, counts, pile):
    return {
        "farm": farm,
        "tabs": farm_tabs("contracts:payments", request, farms, farm, counts),
        "pile": pile,
        "open_all": len(pile.bundles) <= 3,
    }


@role_required(*KEEPERS)
@require_POST
def receive(request):
    """Save the pile: each row wholly or not at all; rows with a mistake come back as they were typed."""
    farms = kept_farms(request)
    farm = farm_of(request, farms)
    if farm is None:
        raise Http404
    named = (id_in(name[7:]) for name in request.POST if name.startswith("number-"))
    typed = [pk for pk in named if pk][:3000]
    posted = kept(request).filter(pk__in=typed, farm=farm[0], method=Method.CHEQUE)
    pile = Pile(_awaited(posted.awaited()), today=clock.today(), data=request.POST)
    if asked := request.POST.get("fill"):
        bundle = pile.fill(id_in(asked))
        if request.htmx and bundle:
            return render(request, "contracts/payments/_bundle.html", {"bundle": bundle, "is_open": True})
        return _pile_again(request, farms, farm, pile, status=200)
    _skip_known(request, posted)
    ready = pile.check()
    try:
        if ready:
            acts.receive([(line.instalment, line.paper) for line in ready], by=request.user, now=clock.now())
            count, cents = len(ready), sum(line.paper.amount_cents for line in ready)
            messages.success(
                request,
                ngettext("%(count)s cheque received, %(sum)s.", "%(count)s cheques received, %(sum)s.", count)
                % {"count": count, "sum": euros_text(cents)},
            )
    except Refused as refused:
        messages.error(request, str(refused))
        return _pile_again(request, farms, farm, pile)
    done = {id(line) for line in ready}
    for bundle in pile.bundles:
        bundle.lines = [line for line in bundle.lines if id(line) not in done]
    pile.bundles = [bundle for bundle in pile.bundles if bundle.lines]
    if any(line.is_filled for bundle in pile.bundles for line in bundle.lines):
        return _pile_again(request, farms, farm, pile)
    if not ready:
        messages.info(request, _("Nothing to save: type the number of each cheque you hold."))
    return redirect(_back_to_pile(request, farm))


def _skip_known(request, posted):
    """Rows typed twice (a double click, another tab) are left alone, and it is said."""
    known = posted.exclude(status=Status.PLANNED).values_list("pk", flat=True)
    if skipped := sum(bool(request.POST.get(f"number-{pk}", "").strip()) for pk in known):
        messages.info(
            request,
            ngettext(
                "%(count)s cheque had been recorded already.", "%(count)s cheques had been recorded already.", skipped
            )
            % {"count": skipped},
        )


def _pile_again(request, farms, farm, pile, status=422):
    context = _pile_context(request, farms, farm, {}, pile) | {"is_again": True}
    return render(request, "contracts/payments/pile.html", context, status=status)


def _back_to_pile(request, farm):
    back = reverse("contracts:payments", args=[request.standing.slug])
    return f"{back}?farm={farm[1]}"


# Slips


@role_required(*KEEPERS, Role.FARMER)
@require_GET
def deposits(request):
    """The cheques held for a farm, ready to be handed over in a slip, and the slips there are."""
    return _deposits(request)


def _deposits(request, form=None, status=200):
    standing = request.standing
    farms = kept_farms(request)
    slips = DepositBatch.objects.filter(association=standing.association_id).visible_to(standing)
    context = {"page": page_of(request, slips.select_related("farm", "by"), size=20)}
    if farms:
        today = clock.today()
        held = kept(request).filter(status=Status.RECEIVED).order_by().values_list("farm")
        counts = dict(held.annotate(Count("pk")))
        ready = dict.fromkeys(counts, 0) | dict(held.filter(deposit_not_before__lte=today).annotate(Count("pk")))
        farm = farm_of(request, sorted(farms, key=lambda one: -ready.get(one[0], -1)))
        form = form or OnDayForm(initial={"on": today})
        form.fields["on"].label = _("Handed over on")
        cheques = list(_held(request, farm).filter(instalment__deposit_not_before__lte=today))
        ticked = {str(pk) for pk in form.data.getlist("chosen")} if form.is_bound else None
        context |= {
            "farm": farm,
            "tabs": farm_tabs("contracts:deposits", request, farms, farm, ready),
            "form": form,
            "count": len(cheques),
            "rows": cheque_rows(cheques, slug=standing.slug, ticked=ticked),
            "cents": sum(cheque.amount_cents for cheque in cheques),
            "later_count": counts.get(farm[0], 0) - len(cheques),
        }
    return render(request, "contracts/payments/deposits.html", context, status=status)


def _held(request, farm):
    return (
        Cheque.objects.filter(
            is_void=False, batch=None, instalment__in=kept(request).filter(status=Status.RECEIVED, farm=farm[0])
        )
        .select_related("instalment__household")
        .order_by("instalment__deposit_not_before", Alphabetical("instalment__household__name"), "pk")
    )


@role_required(*KEEPERS)
@require_POST
def hand_over(request):
    """Hand the ticked cheques to the farm: one slip (BR-39)."""
    farm = farm_of(request, kept_farms(request))
    if farm is None:
        raise Http404
    form = ChosenForm(request.POST, rows=_held(request, farm))
    if form.is_valid():
        try:
            batch = acts.hand_over(
                Farm.objects.get(pk=farm[0]),
                association=request.association,
                cheques=form.cleaned_data["chosen"],
                on=form.cleaned_data["on"],
                by=request.user,
                now=clock.now(),
            )
        except Refused as refused:
            refused.into(form)
        else:
            messages.success(
                request,
                _("Slip no. %(number)s is made: print it and hand it over with the cheques.") % {"number": batch},
            )
            return redirect("contracts:deposit", request.standing.slug, batch.pk)
    return _deposits(request, form, status=422)


def _slip(request, pk):
    slips = DepositBatch.objects.filter(association=request.standing.association_id).visible_to(request.standing)
    return get_object_or_404(slips.select_related("farm", "by", "association"), pk=pk)


def _on_slip(slip):
    return slip.cheques.select_related("instalment__household").order_by(
        Alphabetical("instalment__household__name"), "pk"
    )


@role_required(*KEEPERS, Role.FARMER)
@require_GET
def deposit(request, pk):
    """One slip: its cheques and what became of them."""
    slip = _slip(request, pk)
    cheques = list(_on_slip(slip))
    ledger.with_badges([cheque.instalment for cheque in cheques], today=clock.today(), grace_days=0)
    return render(request, "contracts/payments/deposit.html", {"slip": slip, "cheques": cheques})


@role_required(*KEEPERS, Role.FARMER)
@require_GET
def deposit_slip(request, pk):
    """D4, to be signed twice."""
    slip = _slip(request, pk)
    paper = pdf.render(
        "print/deposit_slip.html",
        {
            "association_name": slip.association.name,
            "day": slip.handed_over_on,
            "printed_at": clock.now(),
            "slip": slip,
            "cheques": list(_on_slip(slip)),
        },
    )
    return pdf.answer(paper, _("slip") + f"-{slip.number}")
