"""Cheques and transfers on screen: the pile, the slips, what the farm confirms, what a household owes."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from amap import clock, pdf
from amap.access import Role, role_required
from amap.errors import Refused
from amap.euros import euros_text
from amap.ibans import iban_text
from amap.models import AuditEntry, Farm, Household
from amap.pages import page_of
from contracts import ledger
from contracts.actions import payments as acts
from contracts.forms.payments import ChosenForm, OnDayForm, Pile, ReasonForm, cheque_rows
from contracts.models import Cheque, DepositBatch, Instalment, Subscription
from contracts.payment_rows import payment_rows
from contracts.references import epc_payload, qr_svg

KEEPERS = (Role.COMMITTEE, Role.TREASURER, Role.LIAISON)
CONFIRMERS = (Role.FARMER, Role.TREASURER)
Status = Instalment.Status
Method = Instalment.Method


def instalments_here(request):
    """All instalments of this association; rights come on top."""
    return Instalment.objects.filter(association=request.standing.association_id)


def kept(request):
    """The instalments whose cheques the visitor keeps (BR-38)."""
    return instalments_here(request).manageable_by(request.standing)


def farm_of(request, among):
    """The farm asked for by `?farm=`, else the first of `among`, [(id, slug, name, …)]; None when there is none.

    A farm of this association that is somebody else's business is a 403 (BR-5).
    """
    asked = request.GET.get("farm") or request.POST.get("farm")
    found = next((farm for farm in among if farm[1] == asked), None)
    if found or not asked:
        return found or next(iter(among), None)
    if Farm.objects.filter(slug=asked, partnerships__association=request.standing.association_id).exists():
        raise PermissionDenied
    raise Http404


def kept_farms(request):
    """[(id, slug, name)] of the farms whose cheques the visitor keeps."""
    farms = Farm.objects.filter(partnerships__association=request.standing.association_id)
    if not request.standing.has(Role.COMMITTEE, Role.TREASURER):
        farms = farms.filter(pk__in=request.standing.liaison_farm_ids)
    return list(farms.distinct().values_list("pk", "slug", "name").order_by("name"))


def farm_tabs(route, request, farms, current, counts):
    """Tabs of one page for several farms; none for one."""
    if len(farms) < 2:
        return []
    url = reverse(route, args=[request.standing.slug])
    return [
        {"label": name, "url": f"{url}?farm={slug}", "is_current": pk == current[0], "count": counts.get(pk, 0)}
        for pk, slug, name in farms
    ]


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
        "name", "pk"
    )
    words = request.GET.get("q", "").strip()[:60]
    if words:
        households = households.filter(Q(name__icontains=words) | Q(members__name__icontains=words)).distinct()
    page = page_of(request, households, size=20)
    pile = Pile(_awaited(awaited.filter(farm=farm[0], household__in=list(page))), today=clock.today())
    context = _pile_context(request, farms, farm, counts, pile) | {"page": page, "words": words}
    return render(request, "contracts/payments/pile.html", context)


def _awaited(instalments):
    return list(
        instalments.select_related("household").order_by("household__name", "household", "deposit_not_before", "number")
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
    typed = [int(name[7:]) for name in request.POST if name.startswith("number-") and name[7:].isdigit()][:3000]
    posted = kept(request).filter(pk__in=typed, farm=farm and farm[0], method=Method.CHEQUE)
    pile = Pile(_awaited(posted.awaited()), today=clock.today(), data=request.POST)
    if asked := request.POST.get("fill"):
        bundle = pile.fill(int(asked) if asked.isdigit() else 0)
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
        farm = farm_of(request, farms)
        held = kept(request).filter(status=Status.RECEIVED)
        today = clock.today()
        counts = dict(held.order_by().values_list("farm").annotate(Count("pk")))
        form = form or OnDayForm(initial={"on": today})
        cheques = list(_held(request, farm).filter(instalment__deposit_not_before__lte=today))
        ticked = {str(pk) for pk in form.data.getlist("chosen")} if form.is_bound else None
        context |= {
            "farm": farm,
            "tabs": farm_tabs("contracts:deposits", request, farms, farm, counts),
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
        .order_by("instalment__deposit_not_before", "instalment__household__name", "pk")
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
            form.add_error(None, str(refused))
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
    return slip.cheques.select_related("instalment__household").order_by("instalment__household__name", "pk")


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
            "slip": slip,
            "cheques": list(_on_slip(slip)),
        },
    )
    return pdf.answer(paper, _("slip") + f"-{slip.number}")


# What reached the farm's account


def confirmable(request):
    """The instalments about which the visitor may say what the farm's bank did (BR-5, BR-38)."""
    return instalments_here(request).confirmable_by(request.standing, request.association)


def _refuse_unless_confirmer(request):
    standing = request.standing
    if not standing.is_farmer and not request.association.treasurer_confirms_farm_payments:
        raise PermissionDenied


@role_required(*CONFIRMERS)
@require_GET
def farm_payments(request):
    """Cheques handed over, slip by slip, and transfers due: what has arrived on the farm's account?"""
    _refuse_unless_confirmer(request)
    return _farm_payments(request)


def _farm_payments(request, form=None, status=200):
    today = clock.today()
    mine = confirmable(request)
    cheques = (
        Cheque.objects.filter(is_void=False, instalment__in=mine.filter(status=Status.HANDED_OVER))
        .select_related("batch__farm", "instalment__household")
        .order_by("batch__handed_over_on", "batch", "instalment__household__name", "pk")
    )
    slips = {}
    for cheque in cheques[:600]:
        slips.setdefault(cheque.batch, []).append(cheque)
    expected = mine.filter(method=Method.TRANSFER).filter(
        Q(status=Status.DECLARED) | Q(status=Status.PLANNED, deposit_not_before__lte=today)
    )
    transfers = page_of(
        request, expected.select_related("household", "farm").order_by("deposit_not_before", "household__name", "pk")
    )
    grace_days = request.association.grace_days
    context = {
        "slips": [
            {"slip": slip, "cheques": rows, "cents": sum(cheque.amount_cents for cheque in rows)}
            for slip, rows in slips.items()
        ],
        "page": transfers,
        "transfers": ledger.with_badges(transfers, today=today, grace_days=grace_days),
        "sums": ledger.total(mine, today=today, grace_days=grace_days),
        "form": form or OnDayForm(initial={"on": today}),
    }
    return render(request, "contracts/payments/farm.html", context, status=status)


def _arrived(request, rows, act, say):
    _refuse_unless_confirmer(request)
    form = ChosenForm(request.POST, rows=rows)
    if form.is_valid():
        chosen = list(form.cleaned_data["chosen"])
        try:
            act(*chosen, by=request.user, now=clock.now(), on=form.cleaned_data["on"])
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, say(len(chosen), sum(one.amount_cents for one in chosen)))
            return redirect("contracts:farm_payments", request.standing.slug)
    return _farm_payments(request, form, status=422)


@role_required(*CONFIRMERS)
@require_POST
def cash(request):
    """These cheques are on the farm's account."""

    def say(count, cents):
        words = ngettext("%(count)s cheque cashed, %(sum)s.", "%(count)s cheques cashed, %(sum)s.", count)
        return words % {"count": count, "sum": euros_text(cents)}

    return _arrived(request, confirmable(request).filter(status=Status.HANDED_OVER), acts.cash, say)


@role_required(*CONFIRMERS)
@require_POST
def confirm(request):
    """These transfers are on the farm's account."""

    def say(count, cents):
        words = ngettext("%(count)s transfer confirmed, %(sum)s.", "%(count)s transfers confirmed, %(sum)s.", count)
        return words % {"count": count, "sum": euros_text(cents)}

    rows = confirmable(request).filter(method=Method.TRANSFER, status__in=(Status.PLANNED, Status.DECLARED))
    return _arrived(request, rows, acts.confirm, say)


# One payment


def _rights(request, one):
    """What the visitor may do with this instalment now, as a set of words the page knows."""
    standing = request.standing
    keeps = standing.is_committee or standing.is_treasurer or one.farm_id in standing.liaison_farm_ids
    confirms = one.farm_id in standing.farm_ids or (
        standing.is_treasurer and request.association.treasurer_confirms_farm_payments
    )
    rights = set()
    if one.status == Status.RECEIVED and keeps:
        rights |= {"give_back", "correct"}
    if one.status == Status.HANDED_OVER:
        rights |= {"reject"} if confirms else set()
        rights |= {"correct"} if keeps else set()
    if one.status == Status.CASHED and confirms:
        rights |= {"reject", "correct"}
    if one.status == Status.CONFIRMED and confirms:
        rights |= {"correct"}
    if one.status == Status.DECLARED and (keeps or confirms or one.household_id == standing.household_id):
        rights |= {"correct"}
    if one.status == Status.PLANNED and one.method == Method.TRANSFER and one.household_id == standing.household_id:
        rights |= {"declare"}
    return rights


def _one(request, pk):
    rows = instalments_here(request).visible_to(request.standing)
    return get_object_or_404(
        rows.select_related("farm", "household", "subscription__offer", "replaces", "replaced_by"), pk=pk
    )


def _show(request, one, forms=None, status=200):
    today = clock.today()
    ledger.with_badges([one], today=today, grace_days=request.association.grace_days)
    history = AuditEntry.objects.filter(about="contracts.instalment", about_id=one.pk).select_related("by")
    names = dict(Status.choices)
    is_open = one.method == Method.TRANSFER and one.status in (Status.PLANNED, Status.DECLARED)
    forms = forms or {}
    context = {
        "one": one,
        "cheques": list(one.cheques.select_related("batch", "received_by")),
        "history": [{"entry": entry, "state": names.get(entry.after, "")} for entry in history if entry.after in names],
        "rights": _rights(request, one),
        "forms": {
            verb: forms.get(verb) or ReasonForm(auto_id=f"{verb}_%s") for verb in ("give_back", "reject", "correct")
        },
        "transfer": transfer(one) if is_open else None,
    }
    return render(request, "contracts/payments/instalment.html", context, status=status)


@require_GET
def instalment(request, pk):
    """One payment: what it is for, where it is, its history, and what can be done with it."""
    return _show(request, _one(request, pk))


def transfer(one):
    """What a bank needs for a transfer, and its QR code; None for a farm without an IBAN (BR-40)."""
    farm = one.farm
    if not farm.iban:
        return None
    payee = farm.payee or farm.legal_name or farm.name
    payload = epc_payload(
        payee=payee, iban=farm.iban, bic=farm.bic, amount_cents=one.amount_cents, reference=one.reference
    )
    title = _("QR code of the transfer of %(amount)s, %(reference)s") % {
        "amount": euros_text(one.amount_cents),
        "reference": one.reference,
    }
    return {"payee": payee, "iban": iban_text(farm.iban), "bic": farm.bic, "qr": qr_svg(payload, title=title)}


def _with_reason(request, pk, verb, act, say):
    one = _one(request, pk)
    if verb not in _rights(request, one):
        raise PermissionDenied
    form = ReasonForm(request.POST, auto_id=f"{verb}_%s")
    if form.is_valid():
        try:
            act(one, reason=form.cleaned_data["reason"], by=request.user, now=clock.now())
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, say)
            return redirect("contracts:instalment", request.standing.slug, one.pk)
    return _show(request, one, {verb: form}, status=422)


@require_POST
def reject(request, pk):
    """The bank did not pay this cheque (BR-41)."""
    say = _(
        "The cheque is marked as rejected; another payment of the same amount is awaited, and the household is told."
    )
    return _with_reason(request, pk, "reject", acts.reject, say)


@require_POST
def give_back(request, pk):
    """This cheque goes back to its household."""
    return _with_reason(request, pk, "give_back", acts.give_back, _("The cheque is marked as given back."))


@require_POST
def correct(request, pk):
    """The last step was a mistake."""
    return _with_reason(request, pk, "correct", acts.correct, _("The last step is taken back."))


# The household's side


def _mine(request):
    return instalments_here(request).filter(household=request.standing.household_id)


@role_required(Role.MEMBER)
@require_GET
def my_payments(request):
    """What my household owes, to whom, when and how; what is paid."""
    today = clock.today()
    association = request.association
    rows = (
        _mine(request)
        .select_related("farm", "subscription__offer")
        .order_by("farm__name", "subscription", "deposit_not_before", "number")
    )
    shown = rows.exclude(status__in=(Status.CANCELLED, Status.RETURNED))
    groups = {}
    for one in ledger.with_badges(shown, today=today, grace_days=association.grace_days):
        groups.setdefault(one.subscription_id, []).append(one)
    contracts = [_contract(rows, request.standing.slug) for rows in groups.values()]
    counting = [one for rows in groups.values() for one in rows if one.status in Instalment.COUNTS]
    context = {
        "contracts": sorted(contracts, key=lambda it: it["next"] is None),
        "promised_cents": sum(one.amount_cents for one in counting),
        "given_cents": sum(one.amount_cents for one in counting if one.status != Status.PLANNED),
        "late": [one for one in counting if one.is_late],
        "next": min(
            (it["next"] for it in contracts if it["next"]),
            key=lambda one: (one.deposit_not_before, one.pk),
            default=None,
        ),
    }
    return render(request, "contracts/payments/mine.html", context)


def _contract(rows, slug):
    """One contract's payments as the household sees them."""
    counting = [one for one in rows if one.status in Instalment.COUNTS]
    awaited = [one for one in rows if one.status == Status.PLANNED]
    promised = sum(one.amount_cents for one in counting)
    given = promised - sum(one.amount_cents for one in awaited)
    transfers = [one for one in awaited if one.method == Method.TRANSFER]
    return {
        "subscription": rows[0].subscription,
        "farm": rows[0].farm,
        "payee": rows[0].farm.payee or rows[0].farm.legal_name or rows[0].farm.name,
        "rows": payment_rows(rows, slug),
        "promised_cents": promised,
        "given_cents": given,
        "percent": given * 100 // promised if promised else 0,
        "next": awaited[0] if awaited else None,
        "awaited_cents": promised - given,
        "cheques": [one for one in awaited if one.method == Method.CHEQUE],
        "transfers": transfers,
        "transfer": transfer(transfers[0]) if transfers else None,
    }


@role_required(Role.MEMBER)
@require_POST
def declare(request):
    """My transfers are ordered. Other people's, or a cheque, are none of this visitor's business: 404."""
    asked = [pk for pk in request.POST.getlist("chosen") if pk.isdigit()]
    chosen = list(_mine(request).filter(pk__in=asked, method=Method.TRANSFER))
    if not asked or len(chosen) != len(set(asked)):
        raise Http404
    with transaction.atomic():
        acts.declare(*chosen, by=request.user, now=clock.now())
    messages.success(request, _("Thank you. The farm confirms when the money has arrived."))
    return redirect("contracts:my_payments", request.standing.slug)


@require_GET
def schedule(request, pk):
    """D3: the payments of one contract on paper, with what a bank needs."""
    rows = Subscription.objects.filter(association=request.standing.association_id).visible_to(request.standing)
    it = get_object_or_404(rows.select_related("offer__farm", "household", "association"), pk=pk)
    instalments = ledger.with_badges(
        it.instalments.filter(status__in=Instalment.COUNTS)
        .select_related("farm")
        .order_by("deposit_not_before", "number"),
        today=clock.today(),
        grace_days=it.association.grace_days,
    )
    open_transfers = [
        {"one": one, "transfer": transfer(one)}
        for one in instalments
        if one.method == Method.TRANSFER and one.status == Status.PLANNED and it.offer.farm.iban
    ]
    paper = pdf.render(
        "print/schedule.html",
        {
            "association_name": it.association.name,
            "day": clock.today(),
            "it": it,
            "farm": it.offer.farm,
            "payee": it.offer.farm.payee or it.offer.farm.legal_name or it.offer.farm.name,
            "instalments": instalments,
            "total_cents": sum(one.amount_cents for one in instalments),
            "transfers": open_transfers,
        },
    )
    return pdf.answer(paper, _("payments") + f"-{it.offer.code}-{it.household.code}")
