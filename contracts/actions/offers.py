"""What becomes of an offer: proposed, accepted by both sides, opened, run, closed (domain.md §2.2)."""

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from amap import letters, states
from amap.dates import date_format
from amap.errors import Refused
from amap.models import CommitteeSeat, FarmLiaison, Member, User
from contracts.actions import places, subscriptions
from contracts.agreement import WORDS, content, missing
from contracts.documents import fingerprint
from contracts.models import (
    ContractOffer,
    Delivery,
    Instalment,
    OfferAcceptance,
    Subscription,
)

Status = ContractOffer.Status
Side = OfferAcceptance.Side


def lock(offer):
    """Take the offer's row lock and read it again; whoever changes an offer starts here."""
    offer.refresh_from_db(from_queryset=ContractOffer.objects.select_for_update())


def start_new_version(offer, *, by, now, reason):
    """Back to draft, as the next version; what was accepted is void, and both sides are told."""
    accepted, _rows = offer.acceptances.all().delete()
    offer.version += 1
    offer.save(update_fields=["version"])
    states.move(offer, to=Status.DRAFT, by=by, now=now, reason=reason)
    _tell("offer_changed", offer, by=by, now=now, accepted=bool(accepted), reason=str(reason))


# Agreeing


@transaction.atomic
def propose(offer, *, by, now):
    """Show a complete draft to the other side, as one version both can accept (BR-8, BR-10, BR-11)."""
    lock(offer)
    if offer.status != Status.DRAFT:
        raise Refused(_("This offer is already %(status)s.") % {"status": offer.get_status_display()})
    lacking = missing(offer)
    if "season_length" in lacking:
        raise Refused(
            _(
                "From the first to the last delivery there must be %(weeks)s weeks at least, to share the risks. "
                "Lengthen the season or say why this one is short."
            )
            % {"weeks": offer.association.min_commitment_weeks}
        )
    if lacking:
        raise Refused(_("Still missing: %(list)s.") % {"list": ", ".join(str(WORDS[key]) for key in lacking)})
    states.move(offer, to=Status.PROPOSED, by=by, now=now)
    _tell("offer_proposed", offer, by=by, now=now)


@transaction.atomic
def withdraw(offer, *, by, now, reason=""):
    """Take a proposed or agreed version back to draft: acceptances are void, the draft is the next version."""
    lock(offer)
    if offer.status not in (Status.PROPOSED, Status.AGREED):
        raise Refused(_("Only a proposed offer can be taken back; this one is %(status)s.") % _status(offer))
    start_new_version(offer, by=by, now=now, reason=reason or _("taken back"))


@transaction.atomic
def accept(offer, *, side, by, now, version=None):
    """Record one side's yes to the proposed version; with both, the offer is agreed (BR-8).

    A farmer of the farm accepts for the farm, somebody with a seat on the committee for the committee, and nobody for
    both: an agreement takes two. `version` is the one the person read, if their page told.
    """
    lock(offer)
    if offer.status != Status.PROPOSED:
        raise Refused(_("Only a proposed offer can be accepted; this one is %(status)s.") % _status(offer))
    if version is not None and version != offer.version:
        raise Refused(
            _("You read version %(read)s; the offer is now at version %(now)s. Read it again before accepting.")
            % {"read": version, "now": offer.version}
        )
    if side not in sides_of(offer, by=by, today=timezone.localdate(now)):
        if side == Side.FARM:
            raise Refused(_("Only a farmer of %(farm)s can accept for the farm.") % {"farm": offer.farm})
        raise Refused(_("Only a member of the committee can accept for the committee."))
    yes = {acceptance.side: acceptance for acceptance in offer.acceptances.filter(version=offer.version)}
    if side in yes:
        raise Refused(_("This version is already accepted for %(side)s.") % {"side": Side(side).label})
    if any(acceptance.by_id == by.pk for acceptance in yes.values()):
        raise Refused(
            _(
                "You have accepted this version for the other side. An agreement takes two people: somebody else must "
                "accept for %(side)s."
            )
            % {"side": Side(side).label}
        )
    read = content(offer)
    if any(acceptance.content_sha256 != fingerprint(read) for acceptance in yes.values()):
        raise Refused(_("The other side accepted another content. Take the offer back and propose it again."))
    OfferAcceptance.objects.create(
        offer=offer,
        side=side,
        version=offer.version,
        content=read,
        content_sha256=fingerprint(read),
        by=by,
        at=now,
    )
    states.record(f"contractoffer.accepted_by_{side}", offer, by=by, now=now, after=f"v{offer.version}")
    if yes:
        states.move(offer, to=Status.AGREED, by=None, now=now)
        _tell("offer_agreed", offer, by=by, now=now)


def sides_of(offer, *, by, today):
    """The sides a person may accept for, as a set of `OfferAcceptance.Side`."""
    sides = set()
    if by is not None and offer.farm.farmers.filter(user=by).exists():
        sides.add(Side.FARM)
    if by is not None and _committee(offer, today).filter(user=by).exists():
        sides.add(Side.COMMITTEE)
    return sides


def _committee(offer, today):
    return CommitteeSeat.objects.current(today).filter(
        association=offer.association_id, role=CommitteeSeat.Role.COMMITTEE
    )


# Opening, running, ending


@transaction.atomic
def open(offer, *, by, now):
    """Open sign-up of an agreed offer: the committee's deed, once the agreed date has come."""
    lock(offer)
    today = timezone.localdate(now)
    if Side.COMMITTEE not in sides_of(offer, by=by, today=today):
        raise Refused(_("Only the committee opens sign-up."))
    if offer.status != Status.AGREED:
        raise Refused(
            _("Sign-up opens once the farm and the committee have accepted the same version; this offer is %(status)s.")
            % _status(offer)
        )
    yes = offer.acceptances.filter(version=offer.version, content_sha256=fingerprint(content(offer)))
    if set(yes.values_list("side", flat=True)) != {Side.FARM, Side.COMMITTEE}:
        raise Refused(_("The offer is no longer what both sides accepted. Take it back and propose it again."))
    if offer.open_on and today < offer.open_on:
        raise Refused(_("Sign-up was agreed to open on %(day)s.") % {"day": _date(offer.open_on)})
    if lacking := missing(offer):
        raise Refused(_("Still missing: %(list)s.") % {"list": ", ".join(str(WORDS[key]) for key in lacking)})
    if not offer.late_join_allowed and offer.starts_on <= today:
        raise Refused(
            _("The first delivery was on %(day)s and nobody may join during the season.")
            % {"day": _date(offer.starts_on)}
        )
    if offer.ends_on <= today:
        raise Refused(_("The last delivery was on %(day)s.") % {"day": _date(offer.ends_on)})
    states.move(offer, to=Status.OPEN, by=by, now=now)
    people = (
        Member.objects.filter(association=offer.association_id, household__left_on=None)
        .exclude(email="", user=None)
        .select_related("user")
    )
    letters.post(
        "offer_open",
        association=offer.association,
        to=list(people),
        key=f"offer_open:{offer.pk}",
        now=now,
        context=_words(offer) | {"starts_on": offer.starts_on.isoformat(), "place": offer.place.name},
    )


@transaction.atomic
def start(offer, *, by=None, now):
    """The season begins: on the day of the first delivery, if somebody's sign-up is valid."""
    lock(offer)
    if offer.status != Status.OPEN:
        raise Refused(_("Only an open offer can start; this one is %(status)s.") % _status(offer))
    if offer.starts_on > timezone.localdate(now):
        raise Refused(_("The first delivery is on %(day)s.") % {"day": _date(offer.starts_on)})
    if not _has_valid(offer):
        raise Refused(_("No sign-up is valid yet."))
    states.move(offer, to=Status.RUNNING, by=by, now=now)


def _has_valid(offer):
    valid = (Subscription.Status.VALIDATED, Subscription.Status.ACTIVE)
    return offer.subscriptions.filter(status__in=valid).exists()


@transaction.atomic
def close(offer, *, by=None, now):
    """The season is over: the last delivery is past and none is still planned."""
    lock(offer)
    if offer.status != Status.RUNNING:
        raise Refused(_("Only a running offer can close; this one is %(status)s.") % _status(offer))
    days = dict(offer.deliveries.values_list("day", "status"))
    if max(days) >= timezone.localdate(now):
        raise Refused(_("The last delivery is on %(day)s.") % {"day": _date(max(days))})
    if planned := [day for day, status in sorted(days.items()) if status == Delivery.Status.SCHEDULED]:
        raise Refused(_("The delivery of %(day)s is still to be closed.") % {"day": _date(planned[0])})
    places.end_the_line(offer, by=by, now=now)
    states.move(offer, to=Status.CLOSED, by=by, now=now)


@transaction.atomic
def cancel(offer, *, by, now, reason):
    """Give an offer up before its season starts. Once it is open, sign-ups are withdrawn, nobody waits for a place any
    more, and these households are told.

    Refused while a payment is in somebody's hands: it is given back first.
    """
    if not reason:
        raise Refused(_("Say why: the other side and the households will read it."))
    # The same order of locks as whoever withdraws: subscriptions, then the offer.
    live = list(
        Subscription.objects.select_for_update(of=("self",)).filter(offer=offer).live().select_related("household")
    )
    held = Instalment.objects.filter(subscription__in=live, status__in=Instalment.HANDED_IN).count()
    if held:
        raise Refused(
            ngettext(
                "%(count)s payment has been handed over. Give it back first.",
                "%(count)s payments have been handed over. Give them back first.",
                held,
            )
            % {"count": held}
        )
    lock(offer)
    if Status.CANCELLED not in ContractOffer.MOVES.get(offer.status, ()):
        raise Refused(_("An offer that is %(status)s can no longer be cancelled.") % _status(offer))
    for subscription in live:
        subscriptions.withdraw(subscription, by=by, now=now, reason=reason)
    if Subscription.objects.filter(offer=offer).live().exists():
        raise Refused(_("Somebody is signing right now. Look at the offer again before you cancel it."))
    lock(offer)
    waiting = places.end_the_line(offer, by=by, now=now, reason=reason)
    states.move(offer, to=Status.CANCELLED, by=by, now=now, reason=reason)
    contracts_page = {"url": reverse("contracts:my_contracts", args=[offer.association.slug])}
    households = [*(subscription.household for subscription in live), *waiting]
    for to, page in ((_both_sides(offer, by=by, now=now), {}), (households, contracts_page)):
        letters.post(
            "offer_cancelled",
            association=offer.association,
            to=to,
            key=f"offer_cancelled:{offer.pk}",
            now=now,
            context=_words(offer) | {"reason": reason} | page,
        )


# Telling


def _tell(kind, offer, *, by, now, **context):
    letters.post(
        kind,
        association=offer.association,
        to=_both_sides(offer, by=by, now=now),
        key=f"{kind}:{offer.pk}:v{offer.version}",
        now=now,
        context=_words(offer) | context | {"by": str(by or "")},
    )


def _both_sides(offer, *, by, now):
    """The farm's people, its liaisons and the committee, but for who is acting."""
    today = timezone.localdate(now)
    liaisons = FarmLiaison.objects.of(offer.association_id, offer.farm_id, today)
    ids = {
        *offer.farm.farmers.values_list("user", flat=True),
        *liaisons.values_list("user", flat=True),
        *_committee(offer, today).values_list("user", flat=True),
    }
    return list(User.objects.filter(pk__in=ids - {by and by.pk}))


def _words(offer):
    """What every letter about an offer says, as plain JSON."""
    return {
        "offer": offer.title,
        "farm": offer.farm.name,
        "version": offer.version,
        "url": reverse("contracts:offer", args=[offer.association.slug, offer.pk]),
    }


def _status(offer):
    return {"status": offer.get_status_display()}


def _date(day):
    return date_format(day, "DATE_FORMAT")
