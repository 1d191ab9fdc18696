"""People: founding an association, inviting, households and their persons, roles."""

from dataclasses import dataclass
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from amap import letters, states, tokens
from amap.actions import farms
from amap.changes import change
from amap.errors import Refused
from amap.models import (
    Association,
    CommitteeSeat,
    Farm,
    Farmer,
    Household,
    Invitation,
    Member,
    MembershipPeriod,
    Partnership,
    PickupPlace,
    User,
)
from amap.models.people import normalise_email

INVITATION_LASTS = timedelta(days=7)
INVITATIONS_PER_DAY = 5


# --- the first day ----------------------------------------------------------------------------------------------------


@transaction.atomic
def found(
    *,
    name,
    slug,
    place_name,
    weekday,
    opens_at,
    closes_at,
    period_starts_on,
    period_ends_on,
    amap_part_cents,
    network_part_cents,
    person_name,
    person_email,
    now,
    today,
    city="",
    postal_code="",
    place_address="",
    volunteers_from=None,
    volunteers_until=None,
    language="fr",
    password=None,
    seats=(),
):
    """The first page of a new installation: association, place, period, and its first committee member.

    `seats`: (role, e-mail) pairs to invite. Returns (association, user). Refused once an association exists: later ones
    are made by the operator.
    """
    if Association.objects.exists():
        raise Refused(_("This site already has its association. Ask its committee for an invitation."))
    association = Association.objects.create(
        slug=slug, name=name, city=city, postal_code=postal_code, email=normalise_email(person_email)
    )
    PickupPlace.objects.create(
        association=association,
        name=place_name,
        address=place_address,
        weekday=weekday,
        opens_at=opens_at,
        closes_at=closes_at,
        volunteers_from=volunteers_from or opens_at,
        volunteers_until=volunteers_until or closes_at,
    )
    MembershipPeriod.objects.create(
        association=association,
        starts_on=period_starts_on,
        ends_on=period_ends_on,
        amap_part_cents=amap_part_cents,
        network_part_cents=network_part_cents,
    )
    user = User.objects.create_user(person_email, password or None, name=person_name, language=language)
    states.record("association.founded", association, by=user, now=now)
    seat(association, user=user, role=CommitteeSeat.Role.COMMITTEE, starts_on=today, by=user, now=now)
    for role, email in seats:
        invite(association, role=role, email=email, by=user, now=now)
    return association, user


@transaction.atomic
def add_association(*, slug, name, now):
    """One more association on this site, empty: the operator's command. Its committee member sets it up. Returns it."""
    association = Association(slug=slug, name=name)
    association.full_clean()
    association.save()
    states.record("association.founded", association, by=None, now=now)
    return association


@transaction.atomic
def add_committee_member(association, *, email, name, by, now):
    """The operator's way in: (invitation, token) of a committee seat, or (None, "") when the account already had it."""
    user = User.objects.filter(email=normalise_email(email), is_active=True).first()
    if user and CommitteeSeat.objects.filter(
        association=association, user=user, role=CommitteeSeat.Role.COMMITTEE, ends_on=None
    ):
        return None, ""
    return invite(association, role=CommitteeSeat.Role.COMMITTEE, email=email, name=name, by=by, now=now)


@dataclass(frozen=True)
class Step:
    """One line of the list a new association works through."""

    text: str
    url: str
    is_done: bool


def first_steps(association):
    """What a new association still has before it: list of `Step`, empty once everything is done. One query.

    Nobody needs to tick anything: each line is true or not yet.
    """
    here = {"association": OuterRef("pk")}
    found = (
        Association.objects.filter(pk=association.pk)
        .annotate(
            has_places=Exists(PickupPlace.objects.filter(**here)),
            has_periods=Exists(MembershipPeriod.objects.filter(**here)),
            has_households=Exists(Household.objects.filter(**here)),
            has_farms=Exists(Partnership.objects.filter(**here)),
            has_offers=Exists(Association.objects.filter(pk=OuterRef("pk"), offers__isnull=False)),
            has_roles=Exists(Association.objects.filter(pk=OuterRef("pk"), shift_roles__isnull=False)),
        )
        .values_list("has_places", "has_periods", "has_households", "has_farms", "has_offers", "has_roles")
        .get()
    )
    if all(found):
        return []
    lines = [
        (_("Say where and when you distribute"), "amap:settings"),
        (_("Set the membership year and its fee"), "amap:memberships"),
        (_("Bring in your households"), "amap:households"),
        (_("Add the farms you work with"), "amap:farms"),
        (_("Propose a first season contract"), "contracts:offers"),
        (_("Say which helping hands a distribution needs"), "deliveries:roster_settings"),
    ]
    return [
        Step(text, reverse(route, args=[association.slug]), is_done)
        for (text, route), is_done in zip(lines, found, strict=True)
    ]


# --- invitations ------------------------------------------------------------------------------------------------------


@transaction.atomic
def invite(association, *, email="", member=None, farm=None, role="", farm_name="", name="", language="fr", by, now):
    """Send one address a single-use link, good for seven days, to become one thing (T5).

    A `member` of a household, a farmer of a `farm`, the holder of a `role`, or the people of a farm called `farm_name`
    whom the association would like as partner. An older open link for the same thing stops working.
    Returns (invitation, token); the token exists nowhere else but in the letter. Refused without an address, for a
    member who already has an account, and for the sixth letter in a day.
    """
    email = normalise_email(email or (member.email if member else ""))
    if member:
        member = Member.objects.select_for_update(of=("self",)).get(pk=member.pk)
        if not email:
            raise Refused(_("%(name)s has no e-mail address. Write one first.") % {"name": member.name})
        if member.user_id:
            raise Refused(_("%(name)s already has an account.") % {"name": member.name})
        name, language = member.name, member.language
    what = {"member": member, "farm": farm, "role": role, "farm_name": farm_name}
    earlier = Invitation.objects.filter(association=association, email=email)
    if earlier.filter(created_at__gt=now - timedelta(days=1)).count() >= INVITATIONS_PER_DAY:
        raise Refused(
            _("%(count)d invitations went to %(email)s since yesterday. Wait a day, or ask them to look in their spam.")
            % {"count": INVITATIONS_PER_DAY, "email": email}
        )
    earlier.filter(**what, accepted_at=None, revoked_at=None).update(revoked_at=now)
    invitation, seed = _new_invitation(association, email=email, by=by, now=now, **what)
    invitation.save(force_insert=True)
    _tell_invited(invitation, seed, name=name, language=language, now=now)
    states.record("invitation.sent", invitation, by=by, now=now)
    return invitation, tokens.token_of(seed)


def _new_invitation(association, *, email, by, now, **what):
    seed = tokens.new_seed()
    invitation = Invitation(
        association=association,
        email=email,
        token_sha256=tokens.digest(tokens.token_of(seed)),
        invited_by=by,
        created_at=now,
        expires_at=now + INVITATION_LASTS,
        **what,
    )
    return invitation, seed


def _tell_invited(invitation, seed, *, name, language, now):
    letters.post(
        "invitation",
        association=invitation.association,
        to=(invitation.email, language),
        key=f"invitation:{invitation.token_sha256[:32]}",
        now=now,
        is_urgent=True,
        context={
            "seed": seed,
            "name": name,
            "household": invitation.member.household.name if invitation.member else "",
            "farm": invitation.farm.name if invitation.farm else "",
            "farm_name": invitation.farm_name,
            "role": invitation.role,
            "by": invitation.invited_by.name if invitation.invited_by else "",
            "expires_on": timezone.localdate(invitation.expires_at).isoformat(),
        },
    )


@transaction.atomic
def invite_all(association, *, by, now):
    """Invite everybody who has an e-mail, no account and no open invitation. Returns how many."""
    not_yet = (
        Member.objects.select_for_update(of=("self",))
        .filter(association=association, user=None, household__left_on=None)
        .exclude(email="")
        .exclude(
            pk__in=Invitation.objects.open(now).filter(association=association).exclude(member=None).values("member")
        )
        .select_related("household")
    )
    sent = [
        (_new_invitation(association, member=member, email=member.email, by=by, now=now), member) for member in not_yet
    ]
    Invitation.objects.bulk_create([invitation for (invitation, _seed), _member in sent], batch_size=200)
    for (invitation, seed), member in sent:
        _tell_invited(invitation, seed, name=member.name, language=member.language, now=now)
    if sent:
        states.record("invitation.sent_to_all", association, by=by, now=now, after=str(len(sent)))
    return len(sent)


@transaction.atomic
def revoke(invitation, *, by, now):
    """Take an invitation back: its link stops working at once."""
    if Invitation.objects.open(now).filter(pk=invitation.pk).update(revoked_at=now):
        states.record("invitation.revoked", invitation, by=by, now=now)


@transaction.atomic
def resend(invitation, *, by, now):
    """Write again, with a new link; the old one stops working. Returns (invitation, token)."""
    if invitation.accepted_at:
        raise Refused(_("%(email)s has already accepted.") % {"email": invitation.email})
    return invite(
        invitation.association,
        email=invitation.email,
        member=invitation.member,
        farm=invitation.farm,
        role=invitation.role,
        farm_name=invitation.farm_name,
        by=by,
        now=now,
    )


def open_invitation(token, *, now):
    """The invitation a token opens, or None, whether it is unknown, used, taken back or too old."""
    open_ones = Invitation.objects.open(now).select_related("association", "member__household", "farm", "invited_by")
    return open_ones.filter(token_sha256=tokens.digest(token)).first()


@transaction.atomic
def accept(token, *, name="", language="fr", password=None, by=None, farm=None, now):
    """Use up an invitation: the account (made now, or `by`, the one signed in under that address) gets its place.

    For an invitation to a new partner farm, `farm` is the farm of theirs they choose; None makes a new one.
    Returns the User. Refused, always in the same words, when the link does not open or belongs to another address.
    """
    today = timezone.localdate(now)
    no_longer = Refused(_("This link is no longer valid. Ask your AMAP for a new one."))
    Invitation.objects.select_for_update().filter(token_sha256=tokens.digest(token)).first()
    invitation = open_invitation(token, now=now)
    if invitation is None:
        raise no_longer
    user = User.objects.filter(email=invitation.email).first()
    if (user or by) and (user is None or by is None or user.pk != by.pk or not user.is_active):
        raise no_longer
    if user is None:
        user = User.objects.create_user(invitation.email, password or None, name=name, language=language)
    # The link came by e-mail: whoever holds it reads that mailbox.
    EmailAddress.objects.update_or_create(
        user=user, email=invitation.email, defaults={"verified": True, "primary": True}
    )
    association = invitation.association
    if invitation.member:
        _link(invitation.member, user, by=user, now=now)
    elif invitation.farm:
        Farmer.objects.get_or_create(farm=invitation.farm, user=user)
    elif invitation.role:
        seat(association, user=user, role=invitation.role, starts_on=today, by=user, now=now)
    else:
        if farm is None:
            farm = Farm.objects.create(
                slug=farms.free_slug(invitation.farm_name),
                name=invitation.farm_name,
                email=user.email,
                contact_name=user.name,
            )
        elif not farm.farmers.filter(user=user).exists():
            raise no_longer
        Farmer.objects.get_or_create(farm=farm, user=user)
        farms.partner(association, farm, since=today, by=user, now=now)
    # A person already known here by that address is the same person.
    for member in Member.objects.filter(association=association, user=None, email=user.email):
        _link(member, user, by=user, now=now)
    invitation.accepted_at = now
    invitation.save(update_fields=["accepted_at"])
    states.record("invitation.accepted", invitation, by=user, now=now)
    return user


def _link(member, user, *, by, now):
    """Give a household's person their account; a person belongs to one household of an association at a time (BR-1)."""
    if Member.objects.filter(association_id=member.association_id, user=user).exclude(pk=member.pk).exists():
        raise Refused(
            _("You already belong to another household of this association. Ask its committee to change that.")
        )
    Member.objects.filter(pk=member.pk).update(user=user)
    states.record("member.linked", member, by=by, now=now)


def link_known(member, *, by, now):
    """Give a person their account at once when somebody of this association already signs in with that address."""
    if member.user_id or not member.email:
        return False
    here = member.association_id
    known = (
        User.objects.filter(email=member.email, is_active=True)
        .filter(
            Q(seats__association=here)
            | Q(liaisons__partnership__association=here)
            | Q(farming__farm__partnerships__association=here)
        )
        .exclude(memberships_of_households__association=here)
        .first()
    )
    if known is None:
        return False
    _link(member, known, by=by, now=now)
    member.user = known
    return True


# --- households and their persons -------------------------------------------------------------------------------------


@transaction.atomic
def add_household(
    association, *, name, joined_on, people, address="", postal_code="", city="", with_invitations=False, by, now
):
    """A new household with its persons: `people` is a list of dicts (name, email, phone, language). Returns it."""
    association = Association.objects.select_for_update().get(pk=association.pk)
    last = association.households.aggregate(last=Max("number"))["last"] or 0
    household = Household.objects.create(
        association=association,
        number=last + 1,
        name=name,
        address=address,
        postal_code=postal_code,
        city=city,
        joined_on=joined_on,
    )
    states.record("household.added", household, by=by, now=now)
    for person in people:
        member = add_member(household, **person, by=by, now=now)
        if with_invitations and member.email and not member.user_id:
            invite(association, member=member, by=by, now=now)
    return household


@transaction.atomic
def edit_household(household, *, by, now, **fields):
    """Change what is known of a household (name, address, postal_code, city, joined_on)."""
    household = Household.objects.select_for_update().get(pk=household.pk)
    if change(household, fields):
        states.record("household.edited", household, by=by, now=now)
    return household


@transaction.atomic
def leave(household, *, on, by, now, reason=""):
    """A household leaves on a date. Refused while contracts run: they end or are taken over first (BR-26)."""
    household = Household.objects.select_for_update().get(pk=household.pk)
    running = household.subscriptions.live().count()
    if running:
        raise Refused(
            ngettext(
                "%(name)s still has %(count)d running contract. It must end or be taken over first.",
                "%(name)s still has %(count)d running contracts. They must end or be taken over first.",
                running,
            )
            % {"name": household.name, "count": running}
        )
    if on < household.joined_on:
        raise Refused(_("The household cannot leave before it joined."))
    household.left_on = on
    household.save(update_fields=["left_on"])
    states.record("household.left", household, by=by, now=now, after=on.isoformat(), reason=reason)
    Invitation.objects.open(now).filter(member__household=household).update(revoked_at=now)


@transaction.atomic
def come_back(household, *, by, now):
    """The household is there again."""
    household = Household.objects.select_for_update().get(pk=household.pk)
    household.left_on = None
    household.save(update_fields=["left_on"])
    states.record("household.returned", household, by=by, now=now)


@transaction.atomic
def add_member(household, *, name, email="", phone="", language="fr", by, now):
    """One more person in a household, up to the association's limit (BR-1). Returns the Member."""
    association = Association.objects.get(pk=household.association_id)
    household = Household.objects.select_for_update().get(pk=household.pk)
    count = household.members.count()
    if count >= association.people_per_household_max:
        raise Refused(
            _("%(name)s already has %(count)d people, the most one household may have.")
            % {"name": household.name, "count": count}
        )
    email = normalise_email(email)
    refuse_known_email(association, email)
    member = Member.objects.create(
        association=association,
        household=household,
        name=name,
        email=email,
        phone=phone,
        language=language,
        position=count,
    )
    states.record("member.added", member, by=by, now=now)
    link_known(member, by=by, now=now)
    return member


def refuse_known_email(association, email, *, but=None):
    """One e-mail, one person in an association (BR-1)."""
    holder = email and Member.objects.filter(association=association, email=email).exclude(pk=but and but.pk).first()
    if holder:
        raise Refused(_("%(email)s is already the address of %(name)s.") % {"email": email, "name": holder.name})


@transaction.atomic
def edit_member(member, *, by, now, **fields):
    """Change what is known of a person (name, email, phone, language, shows_phone).

    An address belongs to its account: once there is one, only the person changes it. A changed address takes the open
    invitation with it.
    """
    member = Member.objects.select_for_update(of=("self",)).select_related("association").get(pk=member.pk)
    if "email" in fields:
        fields["email"] = normalise_email(fields["email"])
        if fields["email"] != member.email:
            if member.user_id:
                raise Refused(_("%(name)s has an account and changes the address there.") % {"name": member.name})
            refuse_known_email(member.association, fields["email"], but=member)
            Invitation.objects.open(now).filter(member=member).update(revoked_at=now)
    if change(member, fields):
        states.record("member.edited", member, by=by, now=now)
        link_known(member, by=by, now=now)
    return member


@transaction.atomic
def remove_member(member, *, by, now):
    """A person leaves their household, which keeps at least one."""
    household = Household.objects.select_for_update().get(pk=member.household_id)
    if household.members.count() == 1:
        raise Refused(
            _("%(name)s is the only person of this household. Let the household leave instead.") % {"name": member.name}
        )
    states.record("member.removed", household, by=by, now=now)
    member.delete()


# --- roles ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def seat(association, *, user, role, starts_on, by, now, ends_on=None):
    """Give a person a role for a time (BR-5). Refused when they hold it already in that time."""
    association = Association.objects.select_for_update().get(pk=association.pk)
    if ends_on and ends_on < starts_on:
        raise Refused(_("The end precedes the start."))
    held = association.seats.filter(user=user, role=role).filter(Q(ends_on=None) | Q(ends_on__gte=starts_on))
    if ends_on:
        held = held.filter(starts_on__lte=ends_on)
    if held.exists():
        raise Refused(_("%(name)s already holds this role at that time.") % {"name": user.name})
    made = CommitteeSeat.objects.create(
        association=association, user=user, role=role, starts_on=starts_on, ends_on=ends_on
    )
    states.record("seat.given", made, by=by, now=now, after=role)
    return made


@transaction.atomic
def end_seat(seat, *, today, by, now):
    """A role ends today: its rights are gone at the next click. The committee keeps at least one person."""
    association = Association.objects.select_for_update().get(pk=seat.association_id)
    seat = CommitteeSeat.objects.get(pk=seat.pk)
    committee = association.seats.current(today).filter(role=CommitteeSeat.Role.COMMITTEE)
    if seat.role == CommitteeSeat.Role.COMMITTEE and not committee.exclude(pk=seat.pk).exists():
        raise Refused(_("Somebody must remain on the committee. Give the role to another person first."))
    states.record("seat.ended", seat, by=by, now=now, before=seat.role)
    farms.end_mandate(seat, today)


# --- the account ------------------------------------------------------------------------------------------------------


@transaction.atomic
def edit_profile(user, *, name, language, phones=None, now):
    """One's own name and language; `phones` is {member: {phone, shows_phone}} for one's person in each association."""
    User.objects.filter(pk=user.pk).update(name=name, language=language)
    for member, fields in (phones or {}).items():
        edit_member(member, **fields, language=language, by=user, now=now)


@transaction.atomic
def change_address(user, *, now):
    """The account has another address: its persons in the associations follow, and the calendar's secret is gone (T4).

    Where somebody else of the association already has that address (BR-1), the person keeps the one written there.
    """
    User.objects.filter(pk=user.pk).update(feed_key_sha256="")
    for member in Member.objects.select_for_update().filter(user=user):
        others = Member.objects.filter(association=member.association_id, email=user.email).exclude(pk=member.pk)
        if not others.exists():
            Member.objects.filter(pk=member.pk).update(email=user.email)
            states.record("member.edited", member, by=user, now=now)
