"""What reached a farm's account: cheques cashed, transfers arrived."""

from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from amap import clock
from amap.access import Role, role_required
from amap.errors import Refused
from amap.euros import euros_text
from amap.names import Alphabetical
from amap.pages import page_of
from contracts import ledger
from contracts.actions import payments as acts
from contracts.forms.payments import ChosenForm, OnDayForm
from contracts.models import Cheque, Instalment
from contracts.views.payments import instalments_here

CONFIRMERS = (Role.FARMER, Role.TREASURER)
Status = Instalment.Status
Method = Instalment.Method
# A household's bank may send a transfer some days before it is due.
EARLY = timedelta(days=10)


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
        .order_by("batch__handed_over_on", "batch", Alphabetical("instalment__household__name"), "pk")
    )
    slips = {}
    for cheque in cheques[:600]:
        slips.setdefault(cheque.batch, []).append(cheque)
    transfers = mine.filter(method=Method.TRANSFER, status__in=(Status.PLANNED, Status.DECLARED))
    expected = transfers.filter(deposit_not_before__lte=today + EARLY)
    announced = transfers.filter(status=Status.DECLARED, deposit_not_before__gt=today + EARLY)
    is_later = request.GET.get("show") == "later"
    page = page_of(
        request,
        (announced if is_later else expected)
        .select_related("household", "farm")
        .order_by("deposit_not_before", Alphabetical("household__name"), "pk"),
    )
    grace_days = request.association.grace_days
    context = {
        "slips": [
            {"slip": slip, "cheques": rows, "cents": sum(cheque.amount_cents for cheque in rows)}
            for slip, rows in slips.items()
        ],
        "page": page,
        "transfers": ledger.with_badges(page, today=today, grace_days=grace_days),
        "is_later": is_later,
        "tabs": [
            {"label": _("Expected now"), "url": "?", "is_current": not is_later, "count": expected.count()},
            {
                "label": _("Announced for later"),
                "url": "?show=later",
                "is_current": is_later,
                "count": announced.count(),
            },
        ],
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
            refused.into(form)
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
