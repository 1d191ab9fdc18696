"""What was done, by whom, when and why (BR-75): the audit trail in words."""

import re
from datetime import date

from django.apps import apps
from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from amap.access import Role, role_required
from amap.models import AuditEntry
from amap.pages import page_of
from amap.templatetags.amap import day

# What entries are about: the word for it, and the one or two columns that name one of them.
THINGS = {
    "amap.association": (gettext_lazy("Association"), "name"),
    "amap.household": (gettext_lazy("Household"), "name"),
    "amap.member": (gettext_lazy("Person"), "name"),
    "amap.invitation": (gettext_lazy("Invitation"), "email"),
    "amap.committeeseat": (gettext_lazy("Role"), "user__name"),
    "amap.partnership": (gettext_lazy("Farm"), "farm__name"),
    "amap.pickupplace": (gettext_lazy("Place"), "name"),
    "amap.import": (gettext_lazy("Import"), "file_name"),
    "amap.membershipperiod": (gettext_lazy("Membership year"), "starts_on"),
    "amap.membership": (gettext_lazy("Membership"), "household__name"),
    "contracts.contractoffer": (gettext_lazy("Offer"), "title"),
    "contracts.delivery": (gettext_lazy("Delivery"), "day", "offer__title"),
    "contracts.subscription": (gettext_lazy("Contract"), "household__name", "offer__title"),
    "contracts.instalment": (gettext_lazy("Payment"), "reference", "household__name"),
    "contracts.depositbatch": (gettext_lazy("Deposit slip"), "farm__name"),
    "contracts.waitinglistentry": (gettext_lazy("Waiting list"), "household__name", "offer__title"),
    "deliveries.distribution": (gettext_lazy("Distribution"), "day"),
    "deliveries.shiftrole": (gettext_lazy("Role of the roster"), "name"),
    "deliveries.shiftassignment": (gettext_lazy("Shift"), "household__name", "shift__distribution__day"),
    "deliveries.basket": (gettext_lazy("Basket"), "household__name"),
}

# What the visitor may ask for: (value, words, models). Baskets come only when asked for: they are most of the trail.
SUBJECTS = (
    ("", gettext_lazy("everything but the baskets"), ()),
    (
        "people",
        gettext_lazy("people and farms"),
        ("household", "member", "invitation", "committeeseat", "partnership", "association", "pickupplace"),
    ),
    ("memberships", gettext_lazy("memberships"), ("membership", "membershipperiod")),
    ("offers", gettext_lazy("offers"), ("contractoffer",)),
    ("contracts", gettext_lazy("contracts"), ("subscription", "waitinglistentry")),
    ("payments", gettext_lazy("payments"), ("instalment", "depositbatch")),
    ("distributions", gettext_lazy("distributions"), ("delivery", "distribution")),
    ("roster", gettext_lazy("roster"), ("shiftrole", "shiftassignment")),
    ("baskets", gettext_lazy("baskets"), ("basket",)),
)

DEEDS = {
    "association.founded": gettext_lazy("founded"),
    "settings.changed": gettext_lazy("settings changed"),
    "place.added": gettext_lazy("added"),
    "place.edited": gettext_lazy("changed"),
    "household.added": gettext_lazy("added"),
    "household.edited": gettext_lazy("name or address changed"),
    "household.left": gettext_lazy("leaves"),
    "household.returned": gettext_lazy("is back"),
    "member.added": gettext_lazy("added"),
    "member.edited": gettext_lazy("changed"),
    "member.removed": gettext_lazy("one person removed"),
    "member.linked": gettext_lazy("has an account"),
    "invitation.sent": gettext_lazy("sent"),
    "invitation.sent_to_all": gettext_lazy("everybody not yet invited was invited"),
    "invitation.revoked": gettext_lazy("taken back"),
    "invitation.accepted": gettext_lazy("accepted"),
    "seat.given": gettext_lazy("given"),
    "seat.ended": gettext_lazy("ended"),
    "partnership.begun": gettext_lazy("partnership begun"),
    "partnership.edited": gettext_lazy("partnership changed"),
    "partnership.ended": gettext_lazy("partnership ended"),
    "farm.edited": gettext_lazy("sheet changed"),
    "farm.bank_details_changed": gettext_lazy("bank details changed"),
    "farmer.removed": gettext_lazy("one person no longer acts for it"),
    "liaison.named": gettext_lazy("liaison named"),
    "liaison.ended": gettext_lazy("liaison no longer"),
    "period.added": gettext_lazy("added"),
    "period.edited": gettext_lazy("changed"),
    "household.removed": gettext_lazy("removed with its import"),
    "partnership.removed": gettext_lazy("removed with its import"),
    "contractoffer.created": gettext_lazy("written"),
    "contractoffer.edited": gettext_lazy("changed"),
    "contractoffer.accepted_by_farm": gettext_lazy("accepted by the farm"),
    "contractoffer.accepted_by_committee": gettext_lazy("accepted by the committee"),
    "subscription.signed": gettext_lazy("signed"),
    "subscription.erased": gettext_lazy("removed with its import"),
    "instalment.replaces": gettext_lazy("takes the place of a rejected cheque"),
    "instalment.split": gettext_lazy("paid in part"),
    "instalment.rest_of": gettext_lazy("the rest of a part payment"),
    "depositbatch.handed_over": gettext_lazy("handed over"),
    "harvest.posted": gettext_lazy("harvest list posted"),
    "shift.taken": gettext_lazy("taken"),
    "shift.taken_over": gettext_lazy("taken over from another household"),
    "roster.role_set": gettext_lazy("need changed"),
    "basket.noted": gettext_lazy("note written"),
}


@role_required(Role.COMMITTEE)
def history(request):
    """The trail, newest first, a page at a time."""
    entries = AuditEntry.objects.filter(association=request.standing.association_id).select_related("by")
    asked = request.GET.get("about", "")
    models = next((models for value, _words, models in SUBJECTS if value == asked), ())
    if models:
        entries = entries.filter(about__in=[about for about in THINGS if about.partition(".")[2] in models])
    else:
        entries = entries.exclude(about="deliveries.basket")
    page = page_of(request, entries.order_by("-pk"))
    names = names_of(page)
    lines = [
        {
            "at": entry.at,
            "by": entry.by.name if entry.by else _("by itself"),
            "thing": THINGS.get(entry.about, (entry.about.partition(".")[2],))[0],
            "name": in_words(names.get((entry.about, entry.about_id), "")),
            "deed": deed(entry),
            "reason": entry.reason,
        }
        for entry in page
    ]
    return render(
        request, "amap/site/history.html", {"page": page, "lines": lines, "subjects": SUBJECTS, "asked": asked}
    )


def names_of(entries):
    """{(model, id): name} of what the entries are about, in one query."""
    ids = {}
    for entry in entries:
        ids.setdefault(entry.about, set()).add(entry.about_id)
    rows = [
        apps.get_model(about)
        .objects.filter(pk__in=ids[about])
        .order_by()
        .values_list(Value(about, CharField()), "pk", _named(*THINGS[about][1:]))
        for about in ids
        if about in THINGS
    ]
    if not rows:
        return {}
    found = rows[0].union(*rows[1:], all=True) if len(rows) > 1 else rows[0]
    return {(about, pk): name for about, pk, name in found}


def _named(*columns):
    """The columns as one text."""
    first, *more = (Cast(column, CharField(max_length=200)) for column in columns)
    return Concat(first, Value(" · "), *more) if more else first


def deed(entry):
    """What happened, in words: `waiting → valid` for a change of state, else the deed."""
    if entry.verb in DEEDS:
        return DEEDS[entry.verb]
    states = states_of(entry.about)
    before, after = (states.get(text) or in_words(text) for text in (entry.before, entry.after))
    if before and after:
        return f"{before} → {after}"
    word = entry.verb.partition(".")[2]
    return after or states.get(word) or word.replace("_", " ")


def in_words(text):
    """A date inside a text, as people write it."""
    return re.sub(r"\d{4}-\d\d-\d\d", lambda found: day(date.fromisoformat(found[0]), "short"), text)


def states_of(about):
    """{state: its word} of a model that has states."""
    try:
        fields = {field.name: field for field in apps.get_model(about)._meta.fields}
    except LookupError:
        return {}
    field = fields.get("outcome") or fields.get("status")
    return dict(field.flatchoices) if field else {}
