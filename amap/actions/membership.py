"""Membership of a period and its fee (BR-2 to BR-4), written in the association's own book."""

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from amap import letters, states
from amap.actions import money
from amap.changes import change
from amap.errors import Refused
from amap.euros import euros_text
from amap.models import Association, Household, Membership, MembershipPeriod

# Where the money of each method is until the bank statement says otherwise.
ACCOUNTS = {
    Membership.Method.CHEQUE: "cheques",
    Membership.Method.TRANSFER: "bank",
    Membership.Method.CASH: "cash",
}
# The lines of a fee and the account each is credited to: the network's part is owed to the network (BR-4).
LINES = {
    "amap_cents": "fees",
    "network_cents": "network",
    "donation_cents": "donations",
    "solidarity_cents": "solidarity",
}


@transaction.atomic
def add_period(association, *, starts_on, ends_on, by, now, **fee):
    """A new membership year and its `fee` (columns). Refused when it overlaps another. Returns the MembershipPeriod."""
    association = Association.objects.select_for_update(no_key=True).get(pk=association.pk)
    _refuse_overlap(association, starts_on, ends_on)
    period = MembershipPeriod.objects.create(association=association, starts_on=starts_on, ends_on=ends_on, **fee)
    states.record("period.added", period, by=by, now=now)
    return period


@transaction.atomic
def edit_period(period, *, starts_on, ends_on, by, now, **fee):
    """Change a period and its `fee` (columns): fees already recorded keep their amounts."""
    association = Association.objects.select_for_update(no_key=True).get(pk=period.association_id)
    _refuse_overlap(association, starts_on, ends_on, but=period)
    change(period, {"starts_on": starts_on, "ends_on": ends_on} | fee)
    states.record("period.edited", period, by=by, now=now)


def _refuse_overlap(association, starts_on, ends_on, but=None):
    if ends_on <= starts_on:
        raise Refused(_("The end precedes the start."))
    other = (
        association.periods.filter(starts_on__lte=ends_on, ends_on__gte=starts_on).exclude(pk=but and but.pk).first()
    )
    if other:
        raise Refused(_("These dates overlap the period %(period)s.") % {"period": other})


@transaction.atomic
def open_membership(household, *, period, by, now):
    """The household's membership of a period, its fee awaited: that of the day it joined (BR-3). Returns it.

    One that was cancelled is awaited again.
    """
    fee_cents = period.fee_on(household.joined_on)
    amap_cents, network_cents = period.parts(fee_cents)
    membership, is_new = Membership.objects.get_or_create(
        period=period,
        household=household,
        defaults={
            "association_id": period.association_id,
            "amap_cents": amap_cents,
            "network_cents": network_cents,
            "total_cents": fee_cents,
        },
    )
    if is_new:
        states.record("membership.pending", membership, by=by, now=now)
    elif membership.status == Membership.Status.CANCELLED:
        membership = _lock(membership)
        if membership.status == Membership.Status.CANCELLED:
            _await_again(membership, by=by, now=now)
    return membership


def _lock(membership):
    rows = Membership.objects.select_for_update(of=("self",)).select_related("period", "household", "association")
    return rows.get(pk=membership.pk)


def _await_again(membership, *, by, now, reason=""):
    """The whole fee, as if nothing had been recorded."""
    states.move(membership, to=Membership.Status.PENDING, by=by, now=now, reason=reason)
    membership.donation_cents = membership.solidarity_cents = 0
    membership.total_cents = membership.period.fee_on(membership.household.joined_on)
    membership.amap_cents, membership.network_cents = membership.period.parts(membership.total_cents)
    membership.method, membership.reference, membership.paid_on = "", "", None
    membership.save()


@transaction.atomic
def record_fee(
    membership,
    *,
    method,
    paid_on,
    fee_cents=None,
    reference="",
    donation_cents=0,
    solidarity_cents=0,
    by,
    now,
    is_old_news=False,
):
    """The fee has come in, with the donations given beside it; the four lines add up (BR-4).

    Without `fee_cents` it is that of the day the household joined; otherwise one the period knows (BR-3).
    Writes a movement a line, tells the household unless it knows (`is_old_news`: a list of last autumn is copied), and
    lets its waiting contracts be looked at again (BR-21).
    Refused when it is recorded already, when the fee is not one of the period's, or for a day to come.
    """
    membership = _lock(membership)
    if membership.status == Membership.Status.PAID:
        raise Refused(
            _("The fee of %(name)s is already recorded: %(total)s.")
            % {"name": membership.household.name, "total": euros_text(membership.total_cents)}
        )
    if paid_on > timezone.localdate(now):
        raise Refused(_("The day of payment is still to come."), field="paid_on")
    period = membership.period
    if fee_cents is None:
        fee_cents = period.fee_on(membership.household.joined_on)
    refuse_other_fee(period, fee_cents)
    if membership.status == Membership.Status.CANCELLED:
        states.move(membership, to=Membership.Status.PENDING, by=by, now=now)
    membership.amap_cents, membership.network_cents = period.parts(fee_cents)
    membership.donation_cents, membership.solidarity_cents = donation_cents, solidarity_cents
    membership.total_cents = fee_cents + donation_cents + solidarity_cents
    membership.method, membership.paid_on, membership.reference = method, paid_on, reference
    membership.recorded_by = by
    membership.save()
    states.move(membership, to=Membership.Status.PAID, by=by, now=now)
    events = {f"fee:{membership.pk}:{account}": line for line, account in LINES.items() if getattr(membership, line)}
    money.record_all(
        [
            money.movement(
                association=membership.association,
                key=key,
                debit=ACCOUNTS[method],
                credit=LINES[events[event]],
                amount_cents=getattr(membership, events[event]),
                effective_on=paid_on,
                by=by,
                now=now,
            )
            for event, key in money.keys(list(events)).items()
        ]
    )
    if is_old_news:
        return membership
    letters.post(
        "fee_received",
        association=membership.association,
        to=membership.household,
        key=f"fee:{membership.pk}:{now.isoformat()}",
        now=now,
        context={
            "household": membership.household.name,
            "starts_on": membership.period.starts_on.isoformat(),
            "ends_on": membership.period.ends_on.isoformat(),
            "lines": {line: getattr(membership, line) for line in LINES},
            "total_cents": membership.total_cents,
            "url": reverse("amap:household", args=[membership.association.slug, membership.household_id]),
        },
    )
    return membership


@transaction.atomic
def pay(household, *, period, by, now, **fee):
    """A household's `fee` of a period has come in, awaited or not (as `record_fee`). Returns its Membership."""
    membership = open_membership(household, period=period, by=by, now=now)
    return record_fee(membership, **fee, by=by, now=now)


def refuse_other_fee(period, cents):
    """Raises `Refused` unless that is a fee of the period (BR-3)."""
    within = period.fee_within(cents)
    if within is None:
        raise Refused(
            _("%(paid)s is less than the fee of %(fee)s.")
            % {"paid": euros_text(cents), "fee": euros_text(period.least_cents)}
        )
    if within != cents:
        raise Refused(
            _("The fee is %(fee)s; write the remaining %(rest)s as a donation.")
            % {"fee": euros_text(within), "rest": euros_text(cents - within)}
        )


@transaction.atomic
def receive(association, *, households, period, method, paid_on, by, now):
    """A pile: the plain fee of several households, received the same way on the same day. Returns how many.

    Households whose fee is already recorded are left as they are, so that the same pile sent twice counts once.
    """
    paid = set(Membership.objects.paid().filter(period=period).values_list("household_id", flat=True))
    count = 0
    for household in Household.objects.filter(association=association, pk__in=[h.pk for h in households]).order_by(
        "pk"
    ):
        if household.pk not in paid:
            pay(household, period=period, method=method, paid_on=paid_on, by=by, now=now)
            count += 1
    return count


@transaction.atomic
def correct(membership, *, reason, by, now):
    """A fee recorded by mistake: its movements are undone by their mirror, and it is awaited again. Needs a reason."""
    membership = _lock(membership)
    if membership.status != Membership.Status.PAID:
        raise Refused(_("This fee is not recorded as paid."))
    written = money.standing([f"fee:{membership.pk}:{account}" for account in LINES.values()])
    money.reverse_all(list(written.values()), by=by, now=now, reason=reason)
    states.move(membership, to=Membership.Status.CANCELLED, by=by, now=now, reason=reason)
    _await_again(membership, by=by, now=now, reason=reason)
    return membership


@transaction.atomic
def cancel(membership, *, reason, by, now):
    """A membership nobody waits for any more, such as that of a sign-up since withdrawn: its fee is no longer awaited.

    Refused once the fee is there (BR-3: it is not paid back), and while a contract of the period waits for it (BR-2).
    """
    membership = _lock(membership)
    household, period = membership.household, membership.period
    if membership.status != Membership.Status.PENDING:
        raise Refused(_("The fee of %(name)s is not awaited: there is nothing to cancel.") % {"name": household.name})
    signed = household.subscriptions.live().filter(
        offer__starts_on__lte=period.ends_on, offer__ends_on__gte=period.starts_on
    )
    if title := signed.values_list("offer__title", flat=True).first():
        raise Refused(
            _("%(name)s has signed %(offer)s, which needs this fee. Withdraw the sign-up first.")
            % {"name": household.name, "offer": title}
        )
    states.move(membership, to=Membership.Status.CANCELLED, by=by, now=now, reason=reason)
