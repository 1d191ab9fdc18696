"""Members: fees, memberships, invitations, mandates."""

from datetime import timedelta

from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from amap.access import Role
from amap.desks.cards.rules import Card, and_more, day_text, rule
from amap.facts import facts
from amap.models import CommitteeSeat, Invitation, Membership, MembershipPeriod
from amap.words import pair
from contracts.models import Subscription

ENDS_SOON = timedelta(days=45)
INVITED_FOR = timedelta(days=3)


@rule(Role.TREASURER, Role.SECRETARY, Role.COMMITTEE)
def fees_awaited(desk):
    """Households whose fee of a current or coming period has not come, or that have signed without any (BR-2)."""
    known = Membership.objects.filter(household=OuterRef("pk")).exclude(status=Membership.Status.CANCELLED)
    pending = known.filter(status=Membership.Status.PENDING, period__ends_on__gte=desk.today)
    signed = Subscription.objects.live().filter(household=OuterRef("pk"))
    households = desk.association.households.present(desk.today)
    awaited = households.filter(Exists(pending) | (Exists(signed) & ~Exists(known)))
    rows = yield facts(awaited.order_by().values("association").annotate(count=Count("pk")), "count")
    if not rows:
        return
    ((count,),) = rows
    yield Card(
        ngettext("%(count)s membership fee is awaited", "%(count)s membership fees are awaited", count)
        % {"count": count},
        desk.url("amap:memberships", show="awaited"),
        note=_("New contracts are not valid before."),
        icon="money",
    )


@rule(Role.TREASURER, Role.SECRETARY, Role.COMMITTEE)
def contracts_without_membership(desk):
    """Households whose membership ran out during a valid contract (BR-2: the contract goes on, somebody asks)."""
    eating = Subscription.objects.filter(
        household=OuterRef("pk"), status__in=[Subscription.Status.VALIDATED, Subscription.Status.ACTIVE]
    )
    known = Membership.objects.filter(household=OuterRef("pk")).exclude(status=Membership.Status.CANCELLED)
    later = known.filter(period__ends_on__gte=desk.today)
    some = desk.association.households.filter(Exists(eating), Exists(known), ~Exists(later))
    rows = yield facts(some.order_by().values("association").annotate(count=Count("pk")), "count")
    if not rows:
        return
    ((count,),) = rows
    yield Card(
        ngettext(
            "%(count)s household has a contract, and its membership has run out",
            "%(count)s households have a contract, and their membership has run out",
            count,
        )
        % {"count": count},
        desk.url("amap:memberships", show="awaited"),
        note=_("They keep their baskets, and cannot sign a new contract before."),
        icon="person",
    )


@rule(Role.TREASURER, Role.SECRETARY, Role.COMMITTEE)
def memberships_ending(desk):
    """The next membership year to end within six weeks, and who has not renewed (BR-2)."""
    later = MembershipPeriod.objects.filter(association=OuterRef("association"), starts_on__gt=OuterRef("ends_on"))
    renewed = Membership.objects.exclude(status=Membership.Status.CANCELLED).filter(
        household=OuterRef("household"), period__starts_on__gt=OuterRef("period__ends_on")
    )
    left = (
        Membership.objects.paid()
        .filter(~Exists(renewed), period=OuterRef("pk"), household__left_on=None)
        .order_by()
        .values("period")
        .annotate(count=Count("pk"))
        .values("count")
    )
    ending = desk.association.periods.filter(ends_on__range=(desk.today, desk.today + ENDS_SOON))
    rows = yield facts(
        ending.order_by("ends_on").annotate(left=Subquery(left), is_followed=Exists(later)),
        *("ends_on", "left", "is_followed"),
    )
    rows = [row for row in rows if row[1]]
    if not rows:
        return
    ends_on, count, is_followed = rows[0]
    yield Card(
        ngettext("%(count)s membership ends on %(day)s", "%(count)s memberships end on %(day)s", count)
        % {"count": count, "day": day_text(ends_on)},
        desk.url("amap:memberships") if is_followed else desk.url("amap:period_new"),
        note=_("The next year is there: record the fees as they come.")
        if is_followed
        else _("First make the next year."),
        icon="calendar",
    )


@rule(Role.SECRETARY, Role.COMMITTEE)
def invitations_unanswered(desk):
    """Invitations sent some days ago that nobody accepted."""
    sent = Invitation.objects.filter(
        association=desk.association, accepted_at=None, revoked_at=None, created_at__lt=desk.now - INVITED_FOR
    ).exclude(member__user__isnull=False)
    rows = yield facts(
        sent.order_by()
        .values("association")
        .annotate(count=Count("pk"), too_old=Count("pk", filter=Q(expires_at__lte=desk.now))),
        "count",
        "too_old",
    )
    if not rows:
        return
    ((count, too_old),) = rows
    yield Card(
        ngettext("%(count)s invitation is not accepted", "%(count)s invitations are not accepted", count)
        % {"count": count},
        desk.url("amap:invitations"),
        note=ngettext(
            "%(count)s link is too old: send it again.", "%(count)s links are too old: send them again.", too_old
        )
        % {"count": too_old}
        if too_old
        else _("The links still work; a word at the distribution helps."),
        icon="mail",
    )


@rule(Role.COMMITTEE)
def mandates_ending(desk):
    """Roles whose mandate ends within six weeks (BR-5)."""
    ending = desk.association.seats.filter(ends_on__range=(desk.today, desk.today + ENDS_SOON))
    rows = yield facts(ending.order_by("ends_on"), "user__name", "role", "ends_on", most=20)
    if not rows:
        return
    url = desk.url("amap:seats")
    lines = [
        (pair(name, f"{CommitteeSeat.Role(role).label} ({day_text(ends_on)})"), url) for name, role, ends_on in rows
    ]
    yield Card(
        ngettext("%(count)s role ends soon", "%(count)s roles end soon", len(rows)) % {"count": len(rows)},
        url,
        icon="hand",
        lines=and_more(lines, len(lines)),
    )
