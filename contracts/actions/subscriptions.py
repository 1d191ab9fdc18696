"""Signing up for a season, and what follows: the three keys, withdrawing."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from amap import letters, rows, states
from amap.actions import membership, money
from amap.dates import date_format
from amap.errors import Refused
from amap.euros import euros_text
from amap.models import FarmLiaison, Household, Membership, Movement, User
from contracts import documents, signing
from contracts.actions import places
from contracts.models import ContractDocument, Delivery, Instalment, Signature, Subscription, SubscriptionLine
from contracts.pricing import instruments_from
from contracts.references import transfer_reference


class PriceChanged(Refused):
    """The total is no longer what the household saw. Nothing was signed."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a household signs for and how it pays (`choices` as in `contracts.signing`), and its signature."""

    household: Household
    choices: list
    instalment_count: int
    method: str
    client_token: UUID
    name: str
    ip: str | None = None
    is_paper: bool = False


class Full(Exception):
    """Fewer hundredths are free than the `wanted` ones. Never leaves this module."""

    def __init__(self, wanted):
        self.wanted = wanted
        super().__init__(wanted)


def sign(
    offer,
    *,
    household,
    choices,
    instalment_count,
    method,
    client_token,
    name,
    expected_total_cents,
    by,
    now,
    ip=None,
    is_paper=False,
):
    """Sign a household up: place, lines, instalments, signature and contract, all or nothing (BR-16, BR-20, BR-22).

    `choices` as in `contracts.signing`; `client_token` the UUID made when the form was filled; `name` as typed or, with
    `is_paper`, as it stands under the contract on paper that `by` holds in hand.
    Returns the Subscription; the one already there for a second click, tab or try; or, when the offer is full, the
    household's WaitingListEntry. Raises `Refused`, and `PriceChanged` when the total is not the expected one.
    """
    wish = Wish(
        household=household,
        choices=choices,
        instalment_count=instalment_count,
        method=method,
        client_token=client_token,
        name=name,
        ip=ip,
        is_paper=is_paper,
    )
    try:
        return _sign(offer, wish, expected_total_cents=expected_total_cents, by=by, now=now)
    except Full as full:
        return places.wait(
            offer,
            household=household,
            equivalents_hundredths=full.wanted,
            client_token=client_token,
            by=by,
            now=now,
        )
    except IntegrityError:
        # The same household was signing at the same moment: a double click, or its other member.
        signed = signing.signed_by(household, offer, client_token)
        if signed is None:
            raise
        return _there_already(signed)


def _there_already(signed):
    """What an earlier click signed. Raises `Refused` when it was withdrawn since: that page had its day."""
    if signed.status not in Subscription.HOLDS:
        raise Refused(_("This was signed once, and withdrawn since. To sign up again, begin at the offer."))
    return signed


@transaction.atomic
def _sign(offer, wish, *, expected_total_cents, by, now):
    today = timezone.localdate(now)
    if signing.left_open(wish.choices):
        # Who leaves the turn open waits for whoever does so at the same moment: the next one gets the other (BR-80).
        places.hold(offer)
    around = signing.look_around(offer, wish.household.pk, today, wish.client_token)
    if around.signed_already:
        return _there_already(Subscription.objects.get(pk=around.signed_already))

    if wish.household.left_on:
        raise Refused(_("%(household)s is leaving: it signs no more contracts.") % {"household": wish.household.name})
    signing.refuse_unless_open(around.offer, today)
    if wish.method not in around.offer.methods:
        raise Refused(_("Choose one of the ways to pay that the farm accepts."))
    proposal = signing.Proposal(around, now=now, is_paper=wish.is_paper)
    quoted = proposal.quote(proposal.settle(wish.choices))
    if quoted.total_cents != expected_total_cents:
        raise PriceChanged(
            _("The price has changed: %(new)s instead of %(old)s. Check and confirm.")
            % {"new": euros_text(quoted.total_cents), "old": euros_text(expected_total_cents)}
        )
    plan = proposal.plan(quoted, wish.instalment_count)
    become_member(around, wish.household, proposal.by_rank[quoted.ranks[0]].day, by=by, now=now)
    wanted = quoted.equivalents_hundredths
    if not places.has_room(around, wish.household, wanted):
        raise Full(wanted)

    payments_from = instruments_from(today, off_premises=True) if wish.is_paper else None
    subscription = write(wish, proposal, quoted, plan, signed_at=now, payments_from=payments_from, by=by, now=now)
    _tell("contract_signed", subscription, to=around.readers(), now=now, is_urgent=True, first=plan[0])
    places.leave_the_line(around, wish.household, by=by, now=now)
    # The place is taken last: whoever waits for this row waits for one statement, not for twelve.
    if not places.take(offer, wanted):
        raise Full(wanted)
    return subscription


def become_member(around, household, first_day, *, by, now):
    """Refuse a household whose membership has run out; open that of one that never had any, its fee awaited (BR-2).

    The period is that of the contract's first delivery, else the running one; without either, the committee makes it.
    """
    today = timezone.localdate(now)
    signing.refuse_run_out(around.memberships, today, first_day)
    if signing.is_member(around.memberships, today, first_day):
        return
    for day in (first_day, today):
        period = around.offer.association.periods.filter(starts_on__lte=day, ends_on__gte=day).first()
        if period:
            membership.open_membership(household, period=period, by=by, now=now)
            return


def write(wish, proposal, quoted, plan, *, signed_at, by, now, payments_from=None):
    """The rows of a contract: what was chosen, the instalments, the signature, the frozen content, the debt.

    A place is kept for so many days from when its payments may be taken on.
    """
    offer = proposal.offer
    delay = payments_from - timezone.localdate(now) if payments_from else timedelta()
    subscription = Subscription(
        association=offer.association,
        offer=offer,
        household=wish.household,
        first_rank=quoted.ranks[0],
        last_rank=quoted.ranks[-1],
        deliveries_count=quoted.deliveries,
        equivalents_hundredths=quoted.equivalents_hundredths,
        total_cents=quoted.total_cents,
        method=wish.method,
        client_token=wish.client_token,
        signed_at=signed_at,
        reserved_until=now + delay + timedelta(days=offer.reservation_days),
        payments_from=payments_from,
    )
    rows.insert([subscription])
    rows.insert(_lines(subscription, quoted, proposal))
    instalments = _instalments(subscription, plan, after=proposal.around.instalments_before)
    rows.insert(instalments)
    content = documents.content(
        proposal, household=wish.household, quoted=quoted, instalments=instalments, method=wish.method
    ) | {
        "signature": {
            "name": wish.name,
            "at": signed_at.isoformat(),
            "is_paper": wish.is_paper,
            "recorded_by": str(by) if wish.is_paper and by else "",
        }
    }
    fingerprint = documents.fingerprint(content)
    signature = Signature(
        subscription=subscription,
        side=Signature.Side.HOUSEHOLD,
        name=wish.name,
        by=by,
        at=signed_at,
        ip=wish.ip,
        is_paper=wish.is_paper,
        content_sha256=fingerprint,
    )
    rows.insert([signature])
    rows.insert([ContractDocument(subscription=subscription, content=content, content_sha256=fingerprint)])
    debt = money.movement(
        association=offer.association,
        farm=offer.farm,
        key=sold(subscription),
        debit=f"due:{subscription.pk}",
        credit=f"sold:{subscription.pk}",
        amount_cents=quoted.total_cents,
        effective_on=timezone.localdate(signed_at),
        by=by,
        now=now,
    )
    rows.insert([debt])
    states.record("subscription.signed", subscription, by=by, now=now, after=subscription.status)
    return subscription


def _lines(subscription, quoted, proposal):
    by_date = proposal.offer.is_by_date
    return [
        SubscriptionLine(
            subscription=subscription,
            size_id=None if by_date else line.item,
            product_id=line.item if by_date else None,
            delivery_id=proposal.by_rank[line.ranks[0]].pk if by_date else None,
            quantity=line.quantity,
            turn=line.turn,
            unit_price_cents=line.unit_price_cents,
        )
        for line in quoted.lines
    ]


def _instalments(subscription, plan, *, after):
    """Unsaved instalments of a plan. References go on after those the household has had with this offer: who
    signs again after withdrawing gets new ones (BR-40).
    """
    offer, household = subscription.offer, subscription.household
    return [
        Instalment(
            association_id=offer.association_id,
            farm_id=offer.farm_id,
            household_id=household.pk,
            subscription_id=subscription.pk,
            number=number,
            amount_cents=part.cents,
            method=subscription.method,
            deposit_not_before=part.on,
            reference=transfer_reference(offer.code, household.number, number + after),
        )
        for number, part in enumerate(plan, start=1)
    ]


def sold(subscription):
    """The key of the movement that says what the household owes (reliability.md §2.3)."""
    return f"contract:{subscription.pk}:signed"


def _tell(kind, subscription, *, to, now, is_urgent=False, first=None, key=""):
    """`key`: what tells this time from an earlier one, where it may happen again."""
    offer = subscription.offer
    letters.post(
        kind,
        association=subscription.association,
        to=to,
        key=f"{kind}:{subscription.pk}{key}",
        now=now,
        is_urgent=is_urgent,
        context={
            "household": subscription.household.name,
            "offer": offer.title,
            "farm": offer.farm.name,
            "payee": offer.farm.payee_name,
            "total_cents": subscription.total_cents,
            "method": subscription.method,
            "reserved_until": timezone.localdate(subscription.reserved_until).isoformat(),
            "payments_from": subscription.payments_from.isoformat() if subscription.payments_from else "",
            "first_on": first.on.isoformat() if first else "",
            "url": reverse("contracts:subscription", args=[subscription.association.slug, subscription.pk]),
        },
    )


# The three keys (BR-21)


def missing_keys(subscription):
    """What still keeps a subscription from being valid, in words, with the sums (BR-21). Empty: nothing."""
    return missing_keys_of([subscription]).get(subscription.pk, [])


def missing_keys_of(subscriptions):
    """The same for many, in two statements: {pk: [words]}, without those that lack nothing."""
    pks = [subscription.pk for subscription in subscriptions]
    paid = Membership.objects.paid().filter(
        household=OuterRef("household"),
        period__starts_on__lte=OuterRef("first_day"),
        period__ends_on__gte=OuterRef("first_day"),
    )
    signed = Signature.objects.filter(subscription=OuterRef("pk"), side=Signature.Side.HOUSEHOLD)
    awaited = {}
    planned = Instalment.objects.awaited().filter(subscription__in=pks).order_by()
    for pk, method, cents in planned.values_list("subscription_id", "method", "amount_cents"):
        awaited.setdefault(pk, {}).setdefault(method, []).append(cents)

    found = {}
    rows = Subscription.objects.filter(pk__in=pks).with_days()
    for pk, day, is_member, is_signed in rows.values_list("pk", "first_day", Exists(paid), Exists(signed)):
        words = []
        if not is_member:
            words.append(_("membership to pay for %(day)s") % {"day": date_format(day, "DATE_FORMAT")})
        if not is_signed:
            words.append(_("signature missing"))
        words += [awaited_text(method, cents) for method, cents in awaited.get(pk, {}).items()]
        if words:
            found[pk] = words
    return found


def awaited_text(method, cents):
    """How many payments by that method are missing, and their sum; `cents` has one entry for each."""
    if method == Instalment.Method.TRANSFER:
        text = ngettext(
            "%(count)s transfer to announce (%(sum)s)", "%(count)s transfers to announce (%(sum)s)", len(cents)
        )
    else:
        text = ngettext("%(count)s cheque missing (%(sum)s)", "%(count)s cheques missing (%(sum)s)", len(cents))
    return text % {"count": len(cents), "sum": euros_text(sum(cents))}


@transaction.atomic
def validate(subscription, *, now, by=None):
    """Declare a subscription valid once its three keys are turned (BR-21). Raises `Refused` naming those missing."""
    subscription = lock(subscription)
    if subscription.status != Subscription.Status.AWAITING_DOCUMENTS:
        return subscription
    missing = missing_keys(subscription)
    if missing:
        raise Refused(_("Not valid yet: %(missing)s.") % {"missing": ", ".join(missing)})
    _make_valid([subscription], by=by, now=now)
    return subscription


@transaction.atomic
def validate_complete(found, *, now, is_old_news=False):
    """Declare valid those of `found` that lack nothing any more, without a word about the others: for whoever has just
    turned a key. Returns them. With `is_old_news` nobody is written to.
    """
    waiting = _locked().filter(pk__in=[subscription.pk for subscription in found])
    waiting = list(waiting.filter(status=Subscription.Status.AWAITING_DOCUMENTS).order_by("pk"))
    missing = missing_keys_of(waiting) if waiting else {}
    complete = [subscription for subscription in waiting if subscription.pk not in missing]
    _make_valid(complete, by=None, now=now, is_old_news=is_old_news)
    return complete


def _make_valid(complete, *, by, now, is_old_news=False):
    Subscription.objects.filter(pk__in=[subscription.pk for subscription in complete]).update(validated_at=now)
    states.move_all(complete, to=Subscription.Status.VALIDATED, by=by, now=now)
    today = timezone.localdate(now)
    begun = [subscription for subscription in complete if subscription.first_day <= today]
    states.move_all(begun, to=Subscription.Status.ACTIVE, by=None, now=now)
    if not is_old_news:
        for subscription in complete:
            _tell("contract_validated", subscription, to=subscription.household, now=now, key=f":{now:%Y%m%d%H%M%S}")


def lock(subscription):
    """The freshly read row. Payments and withdrawal change what a subscription is: one at a time."""
    return _locked().get(pk=subscription.pk)


def _locked():
    """Subscriptions to be read under their locks, each with its `first_day` and `last_day`."""
    rows = Subscription.objects.select_related("offer__farm", "association", "household").with_days()
    return rows.select_for_update(of=("self",))


@transaction.atomic
def await_again(subscription, *, by, now, reason):
    """A payment is missing once more: before its first delivery, a subscription is no longer valid (BR-21).

    Its place is kept as long as after the signature. Once the first delivery has come, it runs on.
    """
    subscription = lock(subscription)
    if subscription.status == Subscription.Status.VALIDATED and subscription.first_day > timezone.localdate(now):
        subscription.validated_at = None
        subscription.reserved_until = now + timedelta(days=subscription.offer.reservation_days)
        subscription.save(update_fields=["validated_at", "reserved_until"])
        states.move(subscription, to=Subscription.Status.AWAITING_DOCUMENTS, by=by, now=now, reason=reason)


@transaction.atomic
def begin(subscription, *, now):
    """A valid subscription whose first delivery has come runs (domain.md §2.3). Idempotent."""
    subscription = lock(subscription)
    if subscription.status == Subscription.Status.VALIDATED and subscription.first_day <= timezone.localdate(now):
        states.move(subscription, to=Subscription.Status.ACTIVE, by=None, now=now)


@transaction.atomic
def complete(subscription, *, now):
    """A running subscription whose last delivery has been is completed (BR-29). Idempotent."""
    subscription = lock(subscription)
    if subscription.status == Subscription.Status.ACTIVE and subscription.last_day < timezone.localdate(now):
        states.move(subscription, to=Subscription.Status.COMPLETED, by=None, now=now)


# Withdrawing


def refuse_withdrawal(subscription, today, *, is_managed=False):
    """Raises `Refused` unless a household may still withdraw: nothing delivered, nothing handed in (domain.md §2.3).

    `is_managed`: whoever looks after the contract also ends one that was never paid once its season has begun.
    """
    status = Subscription.Status
    if subscription.status == status.WITHDRAWN:
        raise Refused(_("This contract is withdrawn already."))
    may_be_late = is_managed and subscription.status == status.AWAITING_DOCUMENTS
    first_day = Subscription.objects.with_days().get(pk=subscription.pk).first_day
    # Once its list is fixed, the first basket is on its way (BR-52).
    fixed = Delivery.objects.filter(offer=subscription.offer_id, day=first_day, status=Delivery.Status.LOCKED)
    has_begun = first_day is None or first_day <= today or fixed.exists()
    if subscription.status not in (status.AWAITING_DOCUMENTS, status.VALIDATED) or (has_begun and not may_be_late):
        raise Refused(_("The season has begun: the commitment lasts until its end. Talk to the farm liaison."))
    handed_in = subscription.instalments.filter(status__in=Instalment.HANDED_IN).count()
    if handed_in:
        raise Refused(
            ngettext(
                "%(count)s payment has been handed in: the liaison or the treasurer gives it back first.",
                "%(count)s payments have been handed in: the liaison or the treasurer gives them back first.",
                handed_in,
            )
            % {"count": handed_in}
        )


@transaction.atomic
def withdraw(subscription, *, by, now, reason="", is_managed=False):
    """Undo a sign-up (see `refuse_withdrawal`): payments cancelled, the place given back, the contract kept."""
    subscription = lock(subscription)
    refuse_withdrawal(subscription, timezone.localdate(now), is_managed=is_managed)
    awaited = list(subscription.instalments.awaited())
    states.move_all(awaited, to=Instalment.Status.CANCELLED, by=by, now=now, reason=reason)
    states.move(subscription, to=Subscription.Status.WITHDRAWN, by=by, now=now, reason=reason)
    owed = Movement.objects.filter(key=sold(subscription)).first()
    if owed:
        money.reverse(owed, by=by, now=now, reason=reason)
    places.free(subscription)
    return subscription


@transaction.atomic
def give_place_back(subscription, *, now):
    """Withdraw a sign-up whose place was kept long enough and of which no payment came (BR-20); its household and the
    farm's liaisons are told. Raises `Refused` as `withdraw` does.
    """
    day = timezone.localdate(subscription.reserved_until)
    reason = _("The place was kept until %(day)s; no payment had come.") % {"day": date_format(day, "DATE_FORMAT")}
    subscription = withdraw(subscription, by=None, now=now, reason=reason)
    today = timezone.localdate(now)
    liaisons = FarmLiaison.objects.of(subscription.association_id, subscription.offer.farm_id, today)
    to = [subscription.household, *User.objects.filter(liaisons__in=liaisons).distinct()]
    _tell("place_given_back", subscription, to=to, now=now)
