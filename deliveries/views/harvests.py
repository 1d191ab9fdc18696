"""The harvest list, posted by the farm or its liaison from a phone."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from amap import clock
from amap.dates import date_format
from amap.errors import Refused
from contracts.models import ContractOffer, Delivery
from deliveries import sharing
from deliveries.actions import harvests as actions
from deliveries.forms.harvests import NewsForm, Rows, rows_of
from deliveries.harvests import dues_before, harvests, latest_before, share, too_few, varieties
from deliveries.models import Distribution
from deliveries.models.distributions import list_from
from deliveries.quantities import from_hundredths
from deliveries.sheet import baskets_present


def harvest(request, pk):
    """Write the list of a delivery: the same page adds rows, shows what each share gets, and posts."""
    delivery = get_object_or_404(
        Delivery.objects.select_related("offer__farm").filter(
            association=request.standing.association_id,
            offer__in=ContractOffer.objects.manageable_by(request.standing),
        ),
        pk=pk,
    )
    posted = harvests([pk]).get(pk)
    takes_items = delivery.offer.kind == ContractOffer.Kind.HARVEST_SHARE
    kwargs = {"bought_in_allowed": delivery.offer.bought_in_allowed}
    deed = request.POST.get("do", "")
    if request.method == "POST":
        data = _with_more_rows(request.POST) if deed == "more" else request.POST
        rows, news = Rows(data, form_kwargs=kwargs), NewsForm(data)
    else:
        start = posted or (latest_before(delivery) if takes_items else None)
        rows = Rows(initial=rows_of(start), form_kwargs=kwargs)
        news = NewsForm(initial={"news": posted.news if posted else ""})
    is_valid = request.method == "POST" and (not takes_items or rows.is_valid()) and news.is_valid()
    if deed == "post" and is_valid:
        items = rows.items() if takes_items else []
        try:
            actions.post_harvest(
                delivery, items=items, news=news.cleaned_data["news"], by=request.user, now=clock.now()
            )
        except Refused as refused:
            refused.into(news)
        else:
            messages.success(request, _posted(request.association, delivery))
            if too_few(delivery.offer, [item["product"] for item in items]):
                messages.warning(request, _few(delivery.offer, items))
            return _after(request, delivery)
    context = {
        "delivery": delivery,
        "offer": delivery.offer,
        "posted": posted,
        "rows": rows,
        "news": news,
        "takes_items": takes_items,
    }
    if takes_items:
        context |= _shares(request, delivery, rows if is_valid or request.method == "GET" else None)
    if request.htmx and deed == "preview":
        return render(request, "deliveries/harvests/_shares.html", context)
    return render(request, "deliveries/harvests/harvest.html", context)


def _with_more_rows(data):
    """What was typed, with three rows more."""
    data = data.copy()
    total = data.get("form-TOTAL_FORMS", "0")
    data["form-TOTAL_FORMS"] = str(min(int(total) if total.isascii() and total.isdigit() else 0, 57) + 3)
    return data


def _posted(association, delivery):
    """Who reads the list now, or from when."""
    visible = list_from(delivery.day, association)
    if clock.now() >= visible:
        return _("Thank you! The list is there for everybody who collects.")
    return _("Members see it from %(day)s at %(hour)s.") % {
        "day": date_format(timezone.localtime(visible), "l j F Y"),
        "hour": date_format(timezone.localtime(visible), "TIME_FORMAT"),
    }


def _shares(request, delivery, rows):
    """What each basket receives of what stands in the rows; nothing while they cannot be read."""
    association = request.association
    baskets = baskets_present(delivery)
    context = {
        "equivalents": sharing.equivalents(baskets),
        "visible": list_from(delivery.day, association),
    }
    if rows is None:
        return context
    items = rows.items() if rows.is_bound else [_item(row) for row in rows.initial]
    dues, shares = dues_before(delivery), []
    sizes = [size for size in delivery.offer.sizes.all() if baskets.get(size.coefficient_hundredths)]
    for item in items:
        total, shared = share(
            unit=item["unit"],
            total=item.get("total"),
            whole=item.get("whole"),
            baskets=baskets,
            step_grams=association.weight_step_g,
            due=dues.get(item["product"].casefold(), {}),
        )
        each = [shared.each.get(size.coefficient_hundredths, 0) for size in sizes]
        shares.append({"item": item, "each": each, "total": total, "leftover": shared.leftover})
    few = _few(delivery.offer, items) if items and too_few(delivery.offer, [i["product"] for i in items]) else ""
    return context | {"sizes": sizes, "shares": shares, "few": few}


def _item(row):
    return {"product": row["product"], "unit": row["unit"], row["basis"]: from_hundredths(row["amount"], row["unit"])}


def _few(offer, items):
    count = varieties(item["product"] for item in items)
    return ngettext(
        "%(count)s variety: the contract promises at least %(least)s.",
        "%(count)s varieties: the contract promises at least %(least)s.",
        count,
    ) % {"count": count, "least": offer.min_varieties}


def _after(request, delivery):
    """Back to the evening; to the farm's season when it is not planned yet."""
    evening = Distribution.objects.filter(
        association=delivery.association_id, day=delivery.day, place=delivery.place_id
    ).first()
    if evening:
        return redirect("deliveries:distribution", request.standing.slug, evening.pk)
    return redirect("deliveries:distributions", request.standing.slug)
