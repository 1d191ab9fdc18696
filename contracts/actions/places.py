"""The places of an offer: taken, given back, waited for (BR-20, BR-30)."""

from django.db import connection, transaction
from django.db.models import F, Max, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from amap import letters, states
from amap.errors import Refused
from contracts import signing
from contracts.models import ContractOffer, WaitingListEntry


def hold(offer):
    """Until the end of the transaction, nobody else changes the offer or comes to hold it."""
    ContractOffer.objects.select_for_update(no_key=True).only("pk").get(pk=offer.pk)


def has_room(around, household, wanted):
    """Are there `wanted` hundredths for this household, nobody ahead of it in the line passed over (BR-30)?"""
    return wanted <= around.room(household.pk)


def take(offer, wanted):
    """Take `wanted` hundredths of the capacity if they are still there and the offer takes people in (BR-20).

    One statement: no race can oversell, nor sign what is given up at the same moment.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE contracts_contractoffer SET taken_hundredths = taken_hundredths + %(wanted)s"
            " WHERE id = %(offer)s AND taken_hundredths + %(wanted)s <= capacity_hundredths"
            " AND status IN ('open', 'running')",
            {"wanted": wanted, "offer": offer.pk},
        )
        return cursor.rowcount == 1


def free(subscription):
    """Give back the place a subscription holds."""
    ContractOffer.objects.filter(pk=subscription.offer_id).update(
        taken_hundredths=F("taken_hundredths") - subscription.equivalents_hundredths
    )


# Waiting for a place


@transaction.atomic
def wait(offer, *, household, equivalents_hundredths, client_token, by, now):
    """Put a household at the end of the waiting list, first come first served; returns its entry.

    Asked twice, it keeps its first place. Raises `Refused` when it has a contract already or when there is room.
    """
    # The line has one end: the offer's row is held while somebody joins it, so that the place told stays true.
    hold(offer)
    around = signing.look_around(offer, household.pk, timezone.localdate(now))
    offer = around.offer
    mine = WaitingListEntry.objects.filter(household=household)
    entry = mine.filter(Q(client_token=client_token) | Q(offer=offer, status=WaitingListEntry.Status.WAITING)).first()
    if entry and entry.status != WaitingListEntry.Status.WAITING:
        raise Refused(_("You waited for a place once, and no longer do. To wait again, begin at the offer."))
    if entry:
        return entry
    signing.refuse_unless_open(offer, timezone.localdate(now))
    if around.signed_already:
        raise Refused(_("This household has a contract for this season already."))
    if has_room(around, household, equivalents_hundredths):
        raise Refused(_("There is room: sign up directly."))
    line = WaitingListEntry.objects.filter(offer=offer, status=WaitingListEntry.Status.WAITING)
    entry = WaitingListEntry.objects.create(
        association_id=offer.association_id,
        offer=offer,
        household=household,
        equivalents_hundredths=equivalents_hundredths,
        client_token=client_token,
        # Whoever asked first but arrives second comes second.
        created_at=max(now, line.aggregate(last=Max("created_at"))["last"] or now),
    )
    states.record("waitinglistentry.waiting", entry, by=by, now=now, after=entry.status)
    letters.post(
        "waiting",
        association=offer.association,
        to=household,
        key=f"waiting:{entry.pk}",
        now=now,
        context={
            "household": household.name,
            "offer": offer.title,
            "farm": offer.farm.name,
            "place": signing.place_in_line(entry),
            "url": reverse("contracts:waiting_list", args=[offer.association.slug, offer.pk]),
        },
    )
    return entry


@transaction.atomic
def stop_waiting(entry, *, by, now, reason=""):
    """Take a household off the waiting list, at its wish."""
    _leave(entry.pk, WaitingListEntry.Status.WITHDRAWN, by=by, now=now, reason=reason)


def end_the_line(offer, *, by, now, reason=""):
    """Nobody waits for an offer that takes nobody in any more. The caller holds the offer; returns who waited."""
    line = list(offer.waiting_list.filter(status=WaitingListEntry.Status.WAITING).select_related("household"))
    for entry in line:
        stop_waiting(entry, by=by, now=now, reason=reason)
    return [entry.household for entry in line]


def leave_the_line(around, household, *, by, now):
    """A household that signs waits no longer."""
    if place := around.waiting_already(household.pk):
        _leave(place, WaitingListEntry.Status.ACCEPTED, by=by, now=now)


def _leave(pk, to, *, by, now, reason=""):
    entry = WaitingListEntry.objects.select_for_update().get(pk=pk)
    if entry.status == WaitingListEntry.Status.WAITING:
        states.move(entry, to=to, by=by, now=now, reason=reason)
