"""Households and their persons, and one's own account."""

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from amap import states
from amap.actions import invitations
from amap.changes import change
from amap.errors import Refused
from amap.models import Association, Household, Invitation, Member, User
from amap.models.people import normalise_email

# Households and their persons


@transaction.atomic
def add_household(
    association, *, name, joined_on, people, address="", postal_code="", city="", with_invitations=False, by, now
):
    """A new household with its persons: `people` is a list of dicts (name, email, phone, language). Returns it; sent
    again, the one that is there.
    """
    association = Association.objects.select_for_update(no_key=True).get(pk=association.pk)
    names = [person["name"] for person in people]
    for twin in association.households.filter(name=name, joined_on=joined_on):
        if list(twin.members.values_list("name", flat=True)) == names:
            return twin
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
            invitations.invite(association, member=member, by=by, now=now)
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
    """A household leaves on a date. Refused while contracts run: they end or are taken over first (BR-26).

    Its places on waiting lists and on the roster are given back by `let_leavers_go` of those who keep these lists.
    """
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
    _claim(association, email, by=by, now=now)
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
    invitations.link_known(member, by=by, now=now)
    return member


def _claim(association, email, *, by, now, but=None):
    """One e-mail, one person of an association at a time (BR-1). Raises `Refused` when somebody still here has it."""
    if not email:
        return
    free_addresses(association, [email], by=by, now=now)
    holder = Member.objects.filter(association=association, email=email).exclude(pk=but and but.pk).first()
    if holder:
        said = _("%(email)s is already the address of %(name)s.") % {"email": email, "name": holder.name}
        raise Refused(said, field="email")


def free_addresses(association, emails, *, by, now):
    """Households that have left no longer hold these addresses, nor the accounts that go with them (BR-1)."""
    gone = Member.objects.filter(
        association=association, email__in=emails, household__left_on__lte=timezone.localdate(now)
    )
    for member in gone:
        change(member, {"email": "", "user_id": None})
        states.record("member.edited", member, by=by, now=now)


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
            _claim(member.association, fields["email"], by=by, now=now, but=member)
            Invitation.objects.open(now).filter(member=member).update(revoked_at=now)
    if change(member, fields):
        states.record("member.edited", member, by=by, now=now)
        invitations.link_known(member, by=by, now=now)
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


# The account


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
