"""Contracts that run on paper already, written down as they are; and taken back."""

from uuid import uuid4

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from amap import states
from amap.actions import money
from amap.errors import Refused
from amap.models import Movement
from contracts import signing
from contracts.actions import places, subscriptions
from contracts.models import Subscription


@transaction.atomic
def copy(offer, *, household, choices, instalment_count, method, name, first_rank, signed_at, by, now):
    """Write down a contract that runs on paper already, from the delivery `first_rank` on; nobody is written to.

    The price, the instalments and the contract are those of a signature at `signed_at`. Returns the Subscription.
    Raises `Refused` as `subscriptions.sign` does, and when there is no room; contracts that run do not wait in line.
    """
    around = signing.look_around(offer, household.pk, timezone.localdate(now))
    if around.signed_already:
        raise Refused(_("%(household)s has a contract for this season already.") % {"household": household.name})
    proposal = signing.Proposal(around, now=signed_at, is_paper=True, first_rank=first_rank)
    quoted = proposal.quote(choices)
    subscriptions.become_member(around, household, proposal.by_rank[quoted.ranks[0]].day, by=by, now=now)
    wish = subscriptions.Wish(
        household=household,
        choices=choices,
        instalment_count=instalment_count,
        method=method,
        client_token=uuid4(),
        name=name,
        is_paper=True,
    )
    plan = proposal.plan(quoted, instalment_count)
    subscription = subscriptions.write(wish, proposal, quoted, plan, signed_at=signed_at, by=by, now=now)
    wanted = quoted.equivalents_hundredths
    places.leave_the_line(around, household, by=by, now=now)
    if not places.take(offer, wanted):
        raise Refused(_("There is no room left for %(household)s.") % {"household": household.name})
    return subscription


@transaction.atomic
def erase(subscription, *, by, now, reason):
    """Take back a contract written down by `copy`: its movement is reversed, its place free, its rows gone.

    The caller has made sure that nothing leans on it, and that its instalments have gone.
    """
    subscription = subscriptions.lock(subscription)
    money.reverse(Movement.objects.get(key=subscriptions.sold(subscription)), by=by, now=now, reason=reason)
    if subscription.status in Subscription.HOLDS:
        places.free(subscription)
    states.record("subscription.erased", subscription, by=by, now=now, before=subscription.status, reason=reason)
    subscription.delete()
