"""One payment and what can be done with it; what a household owes, to whom, when and how."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from amap import clock, pdf
from amap.access import Role, among, role_required
from amap.converters import id_in
from amap.errors import Refused
from amap.euros import euros_text
from amap.ibans import iban_text
from amap.models import AuditEntry, Farm
from amap.names import Alphabetical
from contracts import ledger
from contracts.actions import payments as acts
from contracts.forms.payments import ReasonForm
from contracts.models import DepositBatch, Instalment, Subscription
from contracts.payment_rows import payment_rows
from contracts.references import epc_payload, qr_svg

Status = Instalment.Status
Method = Instalment.Method


def instalments_here(request):
    """All instalments of this association; rights come on top."""
    return Instalment.objects.filter(association=request.standing.association_id)


def farm_of(request, among):
    """The farm asked for by `?farm=`, else the first of `among`, [(id, slug, name, …)]; None when there is none.

    A farm of this association that is somebody else's business is a 403 (BR-5).
    """
    asked = (request.GET.get("farm") or request.POST.get("farm") or "").replace("\x00", " ")
    found = next((farm for farm in among if farm[1] == asked), None)
    if found or not asked:
        return found or next(iter(among), None)
    if Farm.objects.filter(slug=asked, partnerships__association=request.standing.association_id).exists():
        raise PermissionDenied
    raise Http404


# One payment


def _rights(request, one):
    """What the visitor may do with this instalment now, as a set of words the page knows."""
    is_mine = one.household_id == request.standing.household_id
    rights = {"slip"} if one.has_slip else set()
    if one.status == Status.RECEIVED and one.is_kept:
        rights |= {"give_back", "correct"}
    if one.status == Status.HANDED_OVER:
        rights |= {"reject"} if one.is_confirmable else set()
        rights |= {"correct"} if one.is_kept else set()
    if one.status == Status.CASHED and one.is_confirmable:
        rights |= {"reject", "correct"}
    if one.status in (Status.CONFIRMED, Status.REJECTED) and one.is_confirmable:
        rights |= {"correct"}
    if one.status == Status.DECLARED and (one.is_kept or one.is_confirmable or is_mine):
        rights |= {"correct"}
    if one.status == Status.PLANNED and one.is_declarable and not one.subscription.waits_until(clock.today()):
        rights |= {"declare"}
    return rights


def _one(request, pk):
    """One payment the visitor may read, with what they are to it."""
    here, standing = instalments_here(request), request.standing
    rows = here.visible_to(standing).annotate(
        is_kept=among(here.manageable_by(standing)),
        is_confirmable=among(here.confirmable_by(standing, request.association)),
        is_declarable=among(_announced_by(request)),
        has_slip=among(here.filter(cheques__batch__in=DepositBatch.objects.visible_to(standing))),
    )
    return get_object_or_404(
        rows.select_related("farm", "household", "subscription__offer", "replaces", "replaced_by"), pk=pk
    )


def _show(request, one, forms=None, status=200):
    today = clock.today()
    ledger.with_badges([one], today=today, grace_days=request.association.grace_days)
    history = AuditEntry.objects.filter(about="contracts.instalment", about_id=one.pk).select_related("by")
    names = dict(Status.choices)
    is_open = one.method == Method.TRANSFER and one.status in (Status.PLANNED, Status.DECLARED)
    is_mine = one.household_id == request.standing.household_id
    forms = forms or {}
    context = {
        "one": one,
        "is_mine": is_mine,
        "cheques": list(one.cheques.select_related("batch", "received_by")),
        "history": [{"entry": entry, "state": names.get(entry.after, "")} for entry in history if entry.after in names],
        "rights": _rights(request, one),
        "forms": {
            verb: forms.get(verb) or ReasonForm(auto_id=f"{verb}_%s") for verb in ("give_back", "reject", "correct")
        },
        "transfer": transfer(one) if is_open and is_mine else None,
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
    payload = epc_payload(
        payee=farm.payee_name, iban=farm.iban, bic=farm.bic, amount_cents=one.amount_cents, reference=one.reference
    )
    title = _("QR code of the transfer of %(amount)s, %(reference)s") % {
        "amount": euros_text(one.amount_cents),
        "reference": one.reference,
    }
    return {"payee": farm.payee_name, "iban": iban_text(farm.iban), "bic": farm.bic, "qr": qr_svg(payload, title=title)}


def _with_reason(request, pk, verb, act, say):
    one = _one(request, pk)
    if verb not in _rights(request, one):
        raise PermissionDenied
    form = ReasonForm(request.POST, auto_id=f"{verb}_%s")
    if form.is_valid():
        try:
            act(one, reason=form.cleaned_data["reason"], by=request.user, now=clock.now())
        except Refused as refused:
            refused.into(form)
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
        .order_by(Alphabetical("farm__name"), "subscription", "deposit_not_before", "number")
    )
    shown = rows.exclude(status__in=(Status.CANCELLED, Status.RETURNED))
    groups = {}
    for one in ledger.with_badges(shown, today=today, grace_days=association.grace_days):
        groups.setdefault(one.subscription_id, []).append(one)
    contracts = [_contract(rows, request.standing.slug) for rows in groups.values()]
    counting = [one for rows in groups.values() for one in rows if one.status in Instalment.COUNTS]
    context = {
        "contracts": sorted(contracts, key=lambda it: (not it["is_late"], it["next"] is None)),
        "promised_cents": sum(one.amount_cents for one in counting),
        "given_cents": _given_cents(counting),
        "late": [one for one in counting if one.is_late],
        "next": min(
            (it["next"] for it in contracts if it["next"]),
            key=lambda one: (one.deposit_not_before, one.pk),
            default=None,
        ),
    }
    return render(request, "contracts/payments/mine.html", context)


def _given_cents(counting):
    """What is handed in. A transfer that was announced and did not come is not (BR-41)."""
    return sum(one.amount_cents for one in counting if one.status != Status.PLANNED and not one.is_late)


def _contract(rows, slug):
    """One contract's payments as the household sees them."""
    counting = [one for one in rows if one.status in Instalment.COUNTS]
    awaited = [one for one in rows if one.status == Status.PLANNED]
    transfers = [one for one in awaited if one.method == Method.TRANSFER]
    return {
        "subscription": rows[0].subscription,
        "farm": rows[0].farm,
        "rows": payment_rows(rows, slug),
        "promised_cents": sum(one.amount_cents for one in counting),
        "given_cents": _given_cents(counting),
        "next": awaited[0] if awaited else None,
        "is_late": any(one.is_late for one in counting),
        "cheques": [one for one in awaited if one.method == Method.CHEQUE],
        "transfers": transfers,
        "payments_from": rows[0].subscription.waits_until(clock.today()),
        "transfer": transfer(transfers[0]) if transfers else None,
    }


def _announced_by(request):
    """The transfers this visitor may announce."""
    return instalments_here(request).filter(method=Method.TRANSFER).declarable_by(request.standing)


@role_required(Role.MEMBER, Role.LIAISON, Role.TREASURER, Role.COMMITTEE)
@require_POST
def declare(request):
    """These transfers are ordered: mine, or those of a household without an account. Any others: 404."""
    asked = {id_in(pk) for pk in request.POST.getlist("chosen")}
    chosen = list(_announced_by(request).filter(pk__in=asked - {None}))
    if not chosen or len(chosen) != len(asked):
        raise Http404
    acts.declare(*chosen, by=request.user, now=clock.now())
    messages.success(request, _("Thank you. The farm confirms when the money has arrived."))
    slug, first = request.standing.slug, chosen[0]
    if first.household_id == request.standing.household_id:
        return redirect("contracts:my_payments", slug)
    return redirect("contracts:subscription", slug, first.subscription_id)


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
            "printed_at": clock.now(),
            "it": it,
            "farm": it.offer.farm,
            "instalments": instalments,
            "total_cents": sum(one.amount_cents for one in instalments),
            "transfers": open_transfers,
        },
    )
    return pdf.answer(paper, _("payments") + f"-{it.offer.code}-{it.household.code}")
