"""The list of households: a line per household, with its people, an address and perhaps the fee paid."""

from django import forms
from django.db.models import Count, Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from amap import states
from amap.access import Role
from amap.actions import invitations, membership, people
from amap.converters import id_in
from amap.errors import Refused
from amap.forms.fields import DayField
from amap.imports import Kind, State, dependents, imported, restore, snapshot, some, words
from amap.imports.household_columns import COLUMNS, LABELS, PEOPLE, recognise
from amap.imports.household_lines import Reader
from amap.models import AuditEntry, Household, Member, Membership, MembershipPeriod, User
from amap.phones import phone_text
from amap.spreadsheets import euros_number


class OptionsForm(forms.Form):
    """What is asked beside the file: about the fee, for which membership and how it was paid."""

    period = forms.ModelChoiceField(
        label=gettext_lazy("The fees in the file are those of"),
        queryset=MembershipPeriod.objects.none(),
        required=False,
    )
    paid_on = DayField(label=gettext_lazy("Day of payment, where the file says none"), required=False)
    method = forms.ChoiceField(
        label=gettext_lazy("Paid by, where the file does not say"), choices=Membership.Method, required=False
    )

    def __init__(self, *args, association, today, **kwargs):
        super().__init__(*args, **kwargs)
        self.today = today
        periods = association.periods.all()
        self.fields["period"].queryset = periods
        self.fields["period"].empty_label = _("– leave the fees out –")
        current = next((one for one in periods if one.starts_on <= today <= one.ends_on), None)
        self.initial = {"period": current and current.pk, "paid_on": today, "method": Membership.Method.CHEQUE}

    def clean(self):
        data = super().clean()
        data["paid_on"] = data.get("paid_on") or self.today
        data["method"] = data.get("method") or Membership.Method.CHEQUE
        return data


class Households(Kind):
    name = "households"
    label = gettext_lazy("Households")
    lede = gettext_lazy("A line per household: its people, their e-mails and telephones, the address, the fee.")
    roles = frozenset({Role.COMMITTEE, Role.SECRETARY})
    options_form = OptionsForm
    reserved = dict.fromkeys(words("period|paid_on|method"), frozenset({Role.COMMITTEE, Role.TREASURER}))

    def columns(self, options):
        return COLUMNS

    def recognise(self, headings, columns, options):
        return recognise(headings, columns, options.get("period"))

    def plan_lines(self, association, table, options, today):
        if not {"household", "last_1", "person_1"}.intersection(table.chosen):
            raise Refused(_("Say which column holds the name: of the household, or of person 1."))
        return list(Reader(association, table, options, today).lines())

    def write(self, batch, lines, options, *, by, now):
        rows = _write_new(batch, [line for line in lines if line.state == State.NEW], by=by, now=now)
        for line in lines:
            if line.state == State.CHANGED:
                rows += _write_changes(batch, line, by=by, now=now)
            if line.content.fee:
                rows.append(_write_fee(batch, line, options["period"], by=by, now=now))
        return rows

    def undo(self, batch, *, by, now):
        made = {
            model: batch.rows.filter(about=model._meta.label_lower, is_new=True).values("about_id")
            for model in (Household, Member, Membership)
        }
        _refuse_if_needed(batch, made)
        fees = batch.rows.filter(about="amap.membership").values("about_id")
        for paid in Membership.objects.paid().filter(pk__in=fees):
            membership.correct(paid, reason=_("import undone"), by=by, now=now)
        unpaid = Q(household__in=made[Household]) & ~Q(status=Membership.Status.PAID)
        Membership.objects.filter(unpaid | Q(pk__in=made[Membership])).delete()
        left = restore(Household, batch) + restore(Member, batch)
        households = Household.objects.filter(pk__in=made[Household])
        AuditEntry.objects.bulk_create(
            [states.entry("household.removed", one, by=by, now=now, before=one.code) for one in households],
            batch_size=500,
        )
        Member.objects.filter(pk__in=made[Member]).delete()
        households.delete()
        return left

    def export(self, association, today, which=""):
        here = Household.objects.filter(association=association).present(today)
        people = here.annotate(people=Count("members")).aggregate(most=Max("people", default=0))["most"]
        ranks = PEOPLE[: max(people, 2)]
        keys = [
            *("number", "household", *(f"{part}_{n}" for n in ranks for part in ("person", "email", "phone"))),
            *("address", "postal_code", "city", "joined_on"),
        ]
        return [str(LABELS[key]) for key in keys], (
            _exported(one, len(ranks)) for one in here.prefetch_related("members")
        )


def export_memberships(association, today, which=""):
    """The fees of a period, else of the one that runs or the last: they can be brought in as a list of households."""
    keys = words("number|household|fee|fee_on|fee_method|fee_reference")
    periods = association.periods.all()
    period = periods.filter(pk=id_in(which)).first() or periods.filter(starts_on__lte=today).first() or periods.first()
    paid = {}
    if period:
        paid = {one.household_id: one for one in Membership.objects.paid().filter(period=period)}
    households = Household.objects.filter(association=association).present(today)
    return [str(LABELS[key]) for key in keys], (_exported_fee(one, paid.get(one.pk)) for one in households)


def _exported(household, people):
    cells = [cell for one in household.members.all() for cell in (one.name, one.email, phone_text(one.phone))]
    return [
        *(household.number, household.name, *cells, *[""] * (3 * people - len(cells))),
        *(household.address, household.postal_code, household.city, household.joined_on),
    ]


def _exported_fee(household, paid):
    if paid is None:
        return [household.number, household.name, _("no"), None, "", ""]
    fee = euros_number(paid.total_cents)
    return [household.number, household.name, fee, paid.paid_on, paid.get_method_display(), paid.reference]


# Writing


def _write_new(batch, lines, *, by, now):
    """Many households in few statements."""
    association, today = batch.association, timezone.localdate(now)
    taken = set(association.households.values_list("number", flat=True))
    taken.update(line.content.facts.number for line in lines if line.content.facts.number)
    following = association.households.aggregate(last=Max("number"))["last"] or 0
    made, people_made = [], []
    for line in lines:
        facts, number = line.content.facts, line.content.facts.number
        while number is None:
            following += 1
            number = None if following in taken else following
        made.append(
            Household(association=association, number=number, name=facts.name, **{"joined_on": today} | facts.fields)
        )
    Household.objects.bulk_create(made, batch_size=200)
    for line, household in zip(lines, made, strict=True):
        line.content.household = household
        people_made += [(line, _new_member(household, person, n)) for n, person in enumerate(line.content.newcomers)]
    addresses = [member.email for _line, member in people_made if member.email]
    people.free_addresses(association, addresses, by=by, now=now)
    Member.objects.bulk_create([member for _line, member in people_made], batch_size=200)
    entries = [states.entry("household.added", one, by=by, now=now) for one in made]
    AuditEntry.objects.bulk_create(entries, batch_size=200)
    _link([member for _line, member in people_made], by=by, now=now)
    rows = [imported(batch, line, household) for line, household in zip(lines, made, strict=True)]
    return rows + [imported(batch, line, member, after={"user_id": member.user_id}) for line, member in people_made]


def _new_member(household, person, position):
    return Member(
        association_id=household.association_id,
        household=household,
        name=person.name,
        email=person.email,
        phone=person.phone,
        position=position,
    )


def _link(members, *, by, now):
    """Those who already have an account here, such as the committee, find their household (BR-1)."""
    addresses = {member.email: member for member in members if member.email}
    waiting = Member.objects.filter(pk__in=[member.pk for member in addresses.values()]).values("email")
    for email in User.objects.filter(email__in=waiting).values_list("email", flat=True):
        invitations.link_known(addresses[email], by=by, now=now)


def _write_changes(batch, line, *, by, now):
    deed, rows = line.content, []
    household = deed.household
    if deed.fields:
        before = snapshot(household, deed.fields)
        household = people.edit_household(household, by=by, now=now, **deed.fields)
        rows.append(imported(batch, line, household, before, snapshot(household, deed.fields)))
    for member, changed in deed.members:
        before = snapshot(member, [*changed, "user_id"])
        edited = people.edit_member(member, by=by, now=now, **changed)
        rows.append(imported(batch, line, edited, before, snapshot(edited, [*changed, "user_id"])))
    for person in deed.newcomers:
        member = people.add_member(household, name=person.name, email=person.email, phone=person.phone, by=by, now=now)
        rows.append(imported(batch, line, member, after={"user_id": member.user_id}))
    return rows


def _write_fee(batch, line, period, *, by, now):
    deed = line.content
    known = Membership.objects.filter(period=period, household=deed.household).exists()
    paid = membership.pay(
        deed.household,
        period=period,
        method=deed.fee.method,
        paid_on=deed.fee.paid_on,
        fee_cents=deed.fee.fee_cents,
        reference=deed.fee.reference,
        donation_cents=deed.fee.donation_cents,
        by=by,
        now=now,
        is_old_news=True,
    )
    return imported(batch, line, paid, None if not known else {})


def _refuse_if_needed(batch, made):
    """Raises `Refused` when somebody or something leans on a household this import made."""
    needed = dependents(Household, made[Household], but=(Member, Membership))
    for model in (Member, Membership):
        others = model.objects.filter(household__in=made[Household]).exclude(pk__in=made[model])
        if model is Membership:
            others = others.paid()  # one that is awaited was opened by a contract since undone
        needed.update(others.values_list("household_id", flat=True))
    linked = {row.about_id: row.after.get("user_id") for row in batch.rows.filter(about="amap.member", is_new=True)}
    leaning = dependents(Member, made[Member])
    for pk, household_id, user_id in Member.objects.filter(
        Q(pk__in=made[Member]) & (~Q(user=None) | Q(pk__in=leaning))
    ).values_list("pk", "household_id", "user_id"):
        if pk in leaning or user_id != linked.get(pk):
            needed.add(household_id)
    if needed:
        names = list(Household.objects.filter(pk__in=needed).values_list("name", flat=True))
        raise Refused(
            ngettext(
                "It can no longer be undone: since then %(names)s has been invited, has joined or signed something.",
                "It can no longer be undone: since then %(names)s have been invited, have joined or signed something.",
                len(needed),
            )
            % {"names": some(names)}
        )
