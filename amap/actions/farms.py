"""Farms: their sheets, their partnerships with associations, their liaisons and farmers."""

from datetime import timedelta

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from amap import states
from amap.changes import change
from amap.errors import Refused
from amap.models import Farm, FarmLiaison, Partnership


@transaction.atomic
def add_farm(association, *, since, distance_km=None, by, now, **fields):
    """A farm written down by the association itself, and their partnership. Returns the Farm.

    A farm that is already on this site with another association is not looked up (BR-76): it is invited by e-mail and
    its own people bring it (`invite(farm_name=…)`). Refused for one that is a partner already, or was.
    """
    here = Partnership.objects.filter(association=association, farm__name__iexact=fields["name"]).first()
    if here and here.ended_on:
        raise Refused(
            _("The partnership with %(farm)s has ended. Resume it first, on its page.") % {"farm": fields["name"]}
        )
    if here:
        raise Refused(_("%(farm)s is a partner already.") % {"farm": fields["name"]})
    farm = Farm.objects.create(slug=free_slug(fields["name"]), **fields)
    partner(association, farm, since=since, distance_km=distance_km, by=by, now=now)
    return farm


def partner(association, farm, *, since, by, now, distance_km=None):
    """Join a farm and an association, for the first time or again. Returns the Partnership."""
    partnership, is_new = Partnership.objects.get_or_create(
        association=association, farm=farm, defaults={"since": since, "distance_km": distance_km}
    )
    if not is_new:
        partnership.ended_on = None
        partnership.save(update_fields=["ended_on"])
    states.record("partnership.begun", partnership, by=by, now=now)
    return partnership


def free_slug(name):
    """An address on this site that no farm has yet."""
    stem = slugify(name)[:50] or "ferme"
    taken = set(Farm.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    return next(slug for n in range(1, 10_000) if (slug := stem if n == 1 else f"{stem}-{n}") not in taken)


@transaction.atomic
def edit_farm(farm, *, association, by, now, **fields):
    """Change a farm's sheet; bank details have a line of their own in the history."""
    farm = Farm.objects.select_for_update().get(pk=farm.pk)
    if changed := change(farm, fields):
        partnership = Partnership.objects.get(association=association, farm=farm)
        bank = {"iban", "bic", "payee"}.intersection(changed)
        states.record("farm.bank_details_changed" if bank else "farm.edited", partnership, by=by, now=now)
    return farm


@transaction.atomic
def edit_partnership(partnership, *, since, distance_km, by, now):
    """Since when, and how far away."""
    partnership.since, partnership.distance_km = since, distance_km
    partnership.save(update_fields=["since", "distance_km"])
    states.record("partnership.edited", partnership, by=by, now=now)


@transaction.atomic
def end_partnership(partnership, *, today, by, now):
    """The farm and the association part. Refused while an offer of the farm is open or running here."""
    partnership = Partnership.objects.select_for_update(of=("self",)).select_related("farm").get(pk=partnership.pk)
    if partnership.ended_on:
        return
    if partnership.association.offers.filter(farm=partnership.farm, status__in=["open", "running"]).exists():
        raise Refused(_("%(farm)s still has an open or running contract here.") % {"farm": partnership.farm.name})
    partnership.ended_on = today - timedelta(days=1)
    partnership.save(update_fields=["ended_on"])
    partnership.liaisons.current(today).filter(starts_on__lt=today).update(ends_on=today - timedelta(days=1))
    partnership.liaisons.filter(starts_on__gte=today).delete()
    states.record("partnership.ended", partnership, by=by, now=now)


@transaction.atomic
def resume_partnership(partnership, *, by, now):
    """The farm works with the association again."""
    partner(partnership.association, partnership.farm, since=partnership.since, by=by, now=now)


@transaction.atomic
def name_liaison(partnership, *, user, starts_on, by, now):
    """Make a person the link between a farm and the members (BR-5)."""
    partnership = Partnership.objects.select_for_update(of=("self",)).get(pk=partnership.pk)
    if partnership.liaisons.filter(user=user).not_over(starts_on).exists():
        raise Refused(_("%(name)s is already liaison of this farm.") % {"name": user.name})
    liaison = FarmLiaison.objects.create(partnership=partnership, user=user, starts_on=starts_on)
    states.record("liaison.named", partnership, by=by, now=now)
    return liaison


@transaction.atomic
def end_liaison(liaison, *, today, by, now):
    """A liaison's mandate ends today. One that has ended stays as it was."""
    liaison = FarmLiaison.objects.select_for_update().not_over(today).filter(pk=liaison.pk).first()
    if liaison is None:
        return
    states.record("liaison.ended", liaison.partnership, by=by, now=now)
    end_mandate(liaison, today)


@transaction.atomic
def remove_farmer(farmer, *, association, by, now):
    """A person no longer acts for the farm, which keeps at least one."""
    farm = Farm.objects.select_for_update().get(pk=farmer.farm_id)
    if farm.farmers.count() == 1:
        raise Refused(_("Somebody must remain to act for the farm."))
    partnership = Partnership.objects.get(association=association, farm=farm)
    states.record("farmer.removed", partnership, by=by, now=now)
    farmer.delete()


def end_mandate(mandate, today):
    """The last day of a mandate that ends now was yesterday; one that began today has never been."""
    if mandate.starts_on >= today:
        mandate.delete()
    else:
        mandate.ends_on = today - timedelta(days=1)
        mandate.save(update_fields=["ends_on"])
