"""Invitations: a single-use link by e-mail that gives an address its account and one thing to be (T5)."""

from datetime import timedelta

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from amap import letters, states, tokens
from amap.actions import farms, seats
from amap.errors import Refused
from amap.models import AuditEntry, CommitteeSeat, Farm, Farmer, Invitation, Member, User
from amap.models.people import normalise_email

LASTS = timedelta(days=7)
PER_DAY = 5


@transaction.atomic
def invite(association, *, email="", member=None, farm=None, role="", farm_name="", name="", language="fr", by, now):
    """Send one address a single-use link, good for seven days, to become one thing (T5).

    A `member` of a household, a farmer of a `farm`, the holder of a `role`, or the people of a farm called `farm_name`
    whom the association would like as partner. An older open link for the same thing stops working.
    Returns (invitation, token); the token exists nowhere else but in the letter. Refused without an address, for a
    member who already has an account, and for the sixth letter in a day to one address, or of somebody without a seat.
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
    yesterday = now - timedelta(days=1)
    # A person removed takes their invitation along; the history keeps it.
    sent = AuditEntry.objects.filter(by=by, verb="invitation.sent", at__gt=yesterday)
    if by and not _has_seat(association, by, now) and sent.count() >= PER_DAY:
        raise Refused(
            _("You have sent %(count)d invitations since yesterday. Wait a day, or ask the committee.")
            % {"count": PER_DAY}
        )
    earlier = Invitation.objects.filter(association=association, email=email)
    if earlier.filter(created_at__gt=yesterday).count() >= PER_DAY:
        raise Refused(
            _("%(count)d invitations went to %(email)s since yesterday. Wait a day, or ask them to look in their spam.")
            % {"count": PER_DAY, "email": email}
        )
    replaced = earlier.filter(**what, accepted_at=None, revoked_at=None)
    for one in replaced:
        letters.take_back(_event(one))
    replaced.update(revoked_at=now)
    invitation, seed = _new(association, email=email, by=by, now=now, **what)
    invitation.save(force_insert=True)
    _tell(invitation, seed, name=name, language=language, now=now)
    states.record("invitation.sent", invitation, by=by, now=now)
    return invitation, tokens.token_of(seed)


def _has_seat(association, user, now):
    return CommitteeSeat.objects.current(timezone.localdate(now)).filter(association=association, user=user).exists()


def _new(association, *, email, by, now, **what):
    seed = tokens.new_seed()
    invitation = Invitation(
        association=association,
        email=email,
        token_sha256=tokens.digest(tokens.token_of(seed)),
        invited_by=by,
        created_at=now,
        expires_at=now + LASTS,
        **what,
    )
    return invitation, seed


def _event(invitation):
    return f"invitation:{invitation.token_sha256[:32]}"


def _tell(invitation, seed, *, name, language, now):
    letters.post(
        "invitation",
        association=invitation.association,
        to=(invitation.email, language),
        key=_event(invitation),
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
    sent = [(_new(association, member=member, email=member.email, by=by, now=now), member) for member in not_yet]
    Invitation.objects.bulk_create([invitation for (invitation, _seed), _member in sent], batch_size=200)
    for (invitation, seed), member in sent:
        _tell(invitation, seed, name=member.name, language=member.language, now=now)
    if sent:
        states.record("invitation.sent_to_all", association, by=by, now=now, after=str(len(sent)))
    return len(sent)


@transaction.atomic
def revoke(invitation, *, by, now):
    """Take an invitation back: its link stops working at once, and its letter does not leave if it has not yet."""
    if Invitation.objects.open(now).filter(pk=invitation.pk).update(revoked_at=now):
        letters.take_back(_event(invitation))
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
        link(invitation.member, user, by=user, now=now)
    elif invitation.farm:
        Farmer.objects.get_or_create(farm=invitation.farm, user=user)
    elif invitation.role:
        seats.seat(association, user=user, role=invitation.role, starts_on=today, by=user, now=now)
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
        link(member, user, by=user, now=now)
    invitation.accepted_at = now
    invitation.save(update_fields=["accepted_at"])
    states.record("invitation.accepted", invitation, by=user, now=now)
    return user


def link(member, user, *, by, now):
    """Give a household's person their account; a person belongs to one household of an association at a time (BR-1)."""
    held = Member.objects.filter(association_id=member.association_id, user=user).exclude(pk=member.pk).first()
    if held and not held.household.has_left(timezone.localdate(now)):
        raise Refused(
            _("You already belong to another household of this association. Ask its committee to change that.")
        )
    if held:
        Member.objects.filter(pk=held.pk).update(user=None)
    Member.objects.filter(pk=member.pk).update(user=user)
    states.record("member.linked", member, by=by, now=now)


def link_known(member, *, by, now):
    """Give a person their account at once when somebody of this association already signs in with that address.

    Only those with a seat, and the site itself, may say so for them; others invite them, and they accept.
    """
    if member.user_id or not member.email or (by and not _has_seat(member.association_id, by, now)):
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
    link(member, known, by=by, now=now)
    member.user = known
    return True
