"""Writing an offer: its terms, sizes or products, budget, calendar, until it is open (BR-8 to BR-15)."""

import re
import unicodedata
from contextlib import contextmanager
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from amap import states
from amap.dates import date_format
from amap.errors import Refused
from amap.euros import equivalents_text
from amap.models import Association, Farm
from contracts import calendars
from contracts.actions import offers
from contracts.agreement import NOT_COMMERCIAL, content
from contracts.models import (
    Closure,
    ContractOffer,
    Delivery,
    FarmBudget,
    FarmBudgetLine,
    Product,
    ShareSize,
    Subscription,
)
from contracts.pricing import share_price
from contracts.wording import default_terms

Status = ContractOffer.Status
SIZE_COLUMNS = ("label", "coefficient_hundredths", "price_cents", "price_reason")

CODE_STEMS = {
    Farm.Kind.VEGETABLES: "LEG",
    Farm.Kind.BREAD: "PAIN",
    Farm.Kind.EGGS: "OEUF",
    Farm.Kind.CHEESE: "FROM",
    Farm.Kind.FRUIT: "FRUI",
    Farm.Kind.MEAT: "VIAN",
}
# A new offer from a previous one keeps these of its row; the dates are the next season's.
NOT_COPIED = NOT_COMMERCIAL - {"description"} | {
    "farm",
    "place",
    "title",
    "code",
    "kind",
    "starts_on",
    "ends_on",
    "open_on",
    "payment_days",
}


@transaction.atomic
def create(association, *, farm, place, title, kind, by, now, code="", start_from=None, **fields):
    """A new draft, version 1, with French terms to start from, or a copy of `start_from` for the next season.

    The copy keeps price, sizes, products, budget and terms, and proposes the same weeks a year later; its calendar
    has still to be made. `fields` are further columns of the offer. Returns the offer; sent again, the draft that is
    there, as long as nobody has written its dates.
    """
    Association.objects.select_for_update(no_key=True).get(pk=association.pk)
    if not farm.partnerships.filter(association=association, ended_on=None).exists():
        raise Refused(_("%(farm)s is not a partner of this association: record that first.") % {"farm": farm})
    if place.association_id != association.pk:
        raise Refused(_("This place belongs to another association."))
    offer = ContractOffer(association=association, farm=farm, place=place, title=title, kind=kind, created_by=by)
    offer.weekday = place.weekday
    if start_from:
        if start_from.farm_id != farm.pk:
            raise Refused(_("“%(offer)s” is an offer of another farm.") % {"offer": start_from})
        for field in ContractOffer._meta.concrete_fields:
            if field.name not in NOT_COPIED:
                setattr(offer, field.attname, getattr(start_from, field.attname))
        if start_from.starts_on:
            offer.starts_on = _weeks_later(start_from.starts_on, after=timezone.localdate(now))
            offer.ends_on = start_from.ends_on + (offer.starts_on - start_from.starts_on)
    else:
        fields = {"instalment_counts": [1, 3, 6, 12]} | default_terms(association, kind) | fields
    for name, value in fields.items():
        setattr(offer, name, value)
    same = ("farm", "place", "title", "kind", "status", "starts_on", "ends_on")
    if twin := association.offers.filter(**{name: getattr(offer, name) for name in same}).first():
        return twin
    offer.code = code.upper() or _free_code(offer, now)
    _refuse_taken_code(offer)
    offer.save(force_insert=True)
    if start_from:
        _copy_parts(start_from, offer)
    states.record("contractoffer.created", offer, by=by, now=now, after=Status.DRAFT)
    return offer


def _weeks_later(day, *, after):
    """The same weekday 52 weeks later, as often as it takes to come after today."""
    later = day + timedelta(weeks=52)
    while later <= after:
        later += timedelta(weeks=52)
    return later


def _copy_parts(source, offer):
    _replace_sizes(offer, list(source.sizes.values(*SIZE_COLUMNS)))
    _replace_products(offer, list(source.products.values("name", "unit", "price_cents")))
    budget = FarmBudget.objects.filter(offer=source).first()
    if budget:
        lines = [(line.category, line.label, line.amount_cents) for line in budget.lines.all()]
        _write_budget(offer, lines, budget.amap_share_hundredths, budget.planned_equivalents_hundredths)


def _free_code(offer, now):
    """A short code nobody uses here yet: `LEG27`, `LEG27B` …"""
    plain = unicodedata.normalize("NFKD", offer.title).encode("ascii", "ignore").decode()
    stem = CODE_STEMS.get(offer.farm.kind) or re.sub(r"[^A-Z]", "", plain.upper())[:4] or "OFFR"
    stem += f"{(offer.starts_on or timezone.localdate(now)):%y}"
    taken = set(ContractOffer.objects.filter(association=offer.association).values_list("code", flat=True))
    endings = ["", *"BCDEFGHJKLMNPQRSTUVWXYZ"]
    return next((stem + ending for ending in endings if stem + ending not in taken), stem[:4] + f"{len(taken):04}")


def _refuse_taken_code(offer):
    others = ContractOffer.objects.filter(association=offer.association_id, code=offer.code).exclude(pk=offer.pk)
    if title := others.values_list("title", flat=True).first():
        raise Refused(
            _("The code %(code)s already belongs to “%(title)s”. Choose another.")
            % {"code": offer.code, "title": title}
        )


@transaction.atomic
def edit(offer, *, by, now, sizes=None, products=None, **changes):
    """Change columns of an offer, its sizes or its products (whole lists of dicts with their columns).

    A size whose `price_cents` is None is priced in proportion (BR-15). Commercial changes void acceptances (BR-8) and
    are refused from the opening on (BR-14); the description may change at any time.
    """
    with _changing(offer, by=by, now=now):
        if sizes is None and "reference_price_cents" in changes:
            sizes = sizes_as_typed(offer)
        for name, value in changes.items():
            setattr(offer, name, value)
        if "code" in changes:
            offer.code = offer.code.upper()
            _refuse_taken_code(offer)
        if "open_on" in changes:
            _refuse_late_opening(offer)
        offer.save(update_fields=list(changes))
        if sizes is not None:
            _replace_sizes(offer, sizes)
        if products is not None:
            _replace_products(offer, products)
        if sizes is not None or "alternate_allowed" in changes:
            _refuse_uneven_halves(offer)


def _refuse_late_opening(offer):
    """Sign-up opens before the first delivery (reliability 5.3)."""
    if offer.open_on and offer.starts_on and offer.open_on >= offer.starts_on:
        raise Refused(
            _("Sign-up would open on %(open)s, after the first delivery on %(first)s.")
            % {"open": date_format(offer.open_on, "DATE_FORMAT"), "first": date_format(offer.starts_on, "DATE_FORMAT")},
            field="open_on",
        )


def _refuse_uneven_halves(offer):
    """Half of a share every other delivery must be whole hundredths, or capacity would not be exact (BR-20, BR-80)."""
    sizes = ShareSize.objects.filter(offer=offer) if offer.alternate_allowed else ()
    uneven = next((size for size in sizes if size.coefficient_hundredths % 2), None)
    if uneven:
        part = uneven.coefficient_hundredths
        raise Refused(
            _(
                "A share every other delivery counts half, and “%(size)s” (%(part)s) has no exact half. Make it "
                "%(less)s or %(more)s of a whole share, or offer it at every delivery only."
            )
            % {
                "size": uneven.label,
                "part": equivalents_text(part),
                "less": equivalents_text(part - 1),
                "more": equivalents_text(part + 1),
            }
        )


def sizes_as_typed(offer):
    """The sizes as `edit` takes them: a price in proportion is None, so that it follows the whole share's."""
    sizes = list(ShareSize.objects.filter(offer=offer).values(*SIZE_COLUMNS))
    for size in sizes:
        if size["price_cents"] == share_price(offer.reference_price_cents, size["coefficient_hundredths"]):
            size["price_cents"] = None
    return sizes


def _replace_sizes(offer, sizes):
    whole = offer.reference_price_cents
    rows = [
        size | {"price_cents": size["price_cents"] or share_price(whole, size["coefficient_hundredths"])}
        for size in sizes
    ]
    if any(not row["price_cents"] for row in rows):
        raise Refused(_("Give the price of a whole share first: a share cannot cost nothing."))
    _replace(offer, ShareSize, rows)


def _replace_products(offer, products):
    _replace(offer, Product, products)


def _replace(offer, model, rows):
    """Make the offer's rows of `model` exactly these, in this order; the same rows are left alone."""
    rows = [{"position": position} | row for position, row in enumerate(rows)]
    present = model.objects.filter(offer=offer)
    if list(present.values(*(rows[0] if rows else ["pk"]))) != rows:
        _refuse_frozen(offer)
        present.delete()
        model.objects.bulk_create(model(offer=offer, **row) for row in rows)


@transaction.atomic
def set_budget(
    offer,
    *,
    lines,
    planned_equivalents_hundredths,
    by,
    now,
    amap_share_hundredths=10000,
    budget_visibility="members",
):
    """Set what the price is built from (BR-9): `lines` are (category, label, cents per year); without any there is no
    budget. `amap_share_hundredths` is in hundredths of a percent.
    """
    with _changing(offer, by=by, now=now):
        _refuse_frozen(offer)
        offer.budget_visibility = budget_visibility
        offer.save(update_fields=["budget_visibility"])
        _write_budget(offer, lines, amap_share_hundredths, planned_equivalents_hundredths)


def _write_budget(offer, lines, amap_share_hundredths, planned_equivalents_hundredths):
    FarmBudget.objects.filter(offer=offer).delete()
    if lines:
        budget = FarmBudget.objects.create(
            offer=offer,
            amap_share_hundredths=amap_share_hundredths,
            planned_equivalents_hundredths=planned_equivalents_hundredths,
        )
        FarmBudgetLine.objects.bulk_create(
            FarmBudgetLine(budget=budget, category=category, label=label, amount_cents=cents)
            for category, label, cents in lines
        )


@transaction.atomic
def set_calendar(offer, *, starts_on, ends_on, weekday, by, now, interval_weeks=1, closures=(), exceptional_reason=""):
    """Generate the deliveries of a season from its rhythm, without the closures (BR-12). Manual changes made before
    are lost.
    """
    with _changing(offer, by=by, now=now):
        _refuse_frozen(offer)
        days = calendars.generate(starts_on, ends_on, weekday, interval_weeks, closures)
        offer.weekday, offer.interval_weeks, offer.exceptional_reason = weekday, interval_weeks, exceptional_reason
        offer.save(update_fields=["weekday", "interval_weeks", "exceptional_reason"])
        Closure.objects.filter(offer=offer).delete()
        Closure.objects.bulk_create(Closure(offer=offer, day=day) for day in sorted(set(closures)))
        _write_days(offer, days)


@transaction.atomic
def set_days(offer, *, days, by, now):
    """Set the delivery dates one by one, before the opening: ranks follow the order of dates (BR-12). Refuses
    duplicates.
    """
    with _changing(offer, by=by, now=now):
        _refuse_frozen(offer)
        calendars.check(days)
        _write_days(offer, sorted(days))


def _write_days(offer, days):
    Delivery.objects.filter(offer=offer).delete()
    Delivery.objects.bulk_create(
        Delivery(association_id=offer.association_id, offer=offer, place_id=offer.place_id, rank=rank, day=day)
        for rank, day in enumerate(days, start=1)
    )
    offer.starts_on, offer.ends_on = days[0], days[-1]
    _refuse_late_opening(offer)
    offer.save(update_fields=["starts_on", "ends_on"])


@contextmanager
def _changing(offer, *, by, now):
    """Lock an offer for a change of its content.

    Whether the change is commercial is seen by comparing the content before and after, so no list of fields can be
    incomplete. A commercial change is refused from the opening on (BR-14); of a version already shown it makes the
    next one (BR-8).
    """
    offers.lock(offer)
    before, place = content(offer), offer.place_id
    yield
    if offer.place_id != place:
        Delivery.objects.filter(offer=offer).update(place=offer.place_id)
    _forget_relations(offer)
    if content(offer) == before:
        return
    _refuse_frozen(offer)
    states.record("contractoffer.edited", offer, by=by, now=now)
    if offer.status != Status.DRAFT:
        offers.start_new_version(offer, by=by, now=now, reason=_("edited"))


def _forget_relations(offer):
    offer.__dict__.get("_prefetched_objects_cache", {}).clear()


def _refuse_frozen(offer):
    """BR-14: from the opening on, what was agreed does not change."""
    if offer.status in ContractOffer.IN_PREPARATION:
        return
    signed = Subscription.objects.filter(offer=offer, status__in=Subscription.HOLDS).count()
    if signed:
        raise Refused(
            ngettext(
                "%(count)s contract is signed on these terms: they no longer change. Prepare a new offer for the next "
                "season.",
                "%(count)s contracts are signed on these terms: they no longer change. Prepare a new offer for the "
                "next season.",
                signed,
            )
            % {"count": signed}
        )
    raise Refused(
        _("This offer is %(status)s: its terms no longer change. Only its description does.")
        % {"status": offer.get_status_display()}
    )
