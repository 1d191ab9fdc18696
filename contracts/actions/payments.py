"""The way of a payment from a household to its farm, on paper: each step with who, when and its movement (BR-38).

Cheques: awaited → received → handed over in a slip → cashed. Transfers: awaited → announced → arrived. Every action
locks subscriptions, then instalments, each in the order of their ids; bulk ones need few statements whatever the pile.
"""

from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import Count, Max, OuterRef, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from amap import letters, states
from amap.actions import money
from amap.dates import date_format
from amap.errors import Refused
from amap.euros import euros_text
from amap.models import Association, FarmLiaison
from contracts.actions import subscriptions
from contracts.models import Cheque, DepositBatch, Instalment, Subscription
from contracts.pricing import cheque_problem, stale_after
from contracts.references import transfer_reference

Status = Instalment.Status


@dataclass(frozen=True)
class Paper:
    """What is read on a cheque. `is_part`: it pays a part only, the rest stays awaited as an instalment of its own."""

    number: str
    drawer: str
    amount_cents: int
    issued_on: date
    bank: str = ""
    is_part: bool = False


# Cheques


@transaction.atomic
def receive(pile, *, by, now, is_old_news=False):
    """Take a pile of cheques, [(instalment, Paper)], for the farms they are for; returns the Cheques.

    Each turns the third key of its subscription when it was the last one missing (BR-21); nobody is written to about it
    when it `is_old_news`. Refused, all of them, when one is no longer awaited, too early (BR-43c), post-dated, stale
    before its deposit (BR-35), or not the amount agreed.
    """
    papers = {instalment.pk: paper for instalment, paper in pile}
    instalments = _lock(papers)
    for instalment in instalments:
        _refuse_method(instalment, Instalment.Method.CHEQUE)
        _refuse_other_than(instalment, Status.PLANNED)
        _refuse_paper(instalment, papers[instalment.pk], timezone.localdate(now))
    _split([(one, papers[one.pk].amount_cents) for one in instalments], by=by, now=now)
    cheques = Cheque.objects.bulk_create(
        Cheque(
            instalment=instalment,
            bank=paper.bank,
            number=paper.number,
            drawer=paper.drawer,
            amount_cents=paper.amount_cents,
            issued_on=paper.issued_on,
            received_at=now,
            received_by=by,
        )
        for instalment in instalments
        for paper in [papers[instalment.pk]]
    )
    money.record_all([_received(cheque, by=by, now=now) for cheque in cheques])
    states.move_all(instalments, to=Status.RECEIVED, by=by, now=now)
    _validate_complete(instalments, now=now, is_old_news=is_old_news)
    return cheques


@transaction.atomic
def hand_over(farm, *, association, cheques, on, by, now):
    """Hand received cheques to their farm on the day `on`: one DepositBatch, which nobody changes afterwards (BR-39).

    Refused when a cheque is on a slip already, is agreed for later, belongs to another farm, or is too old for a bank.
    """
    # The slips of an association are numbered in turn.
    Association.objects.select_for_update(no_key=True).get(pk=association.pk)
    pks = [cheque.pk for cheque in cheques]
    instalments = _lock(Cheque.objects.filter(pk__in=pks).values_list("instalment_id", flat=True))
    if not instalments:
        raise Refused(_("Choose at least one cheque."))
    if on > timezone.localdate(now):
        raise Refused(_("Cheques are handed over today or were before: choose a day that is not in the future."))
    cheques = list(Cheque.objects.select_related("batch").filter(pk__in=pks).order_by("pk"))
    by_instalment = {cheque.instalment_id: cheque for cheque in cheques}
    for instalment in instalments:
        cheque = by_instalment[instalment.pk]
        if instalment.farm_id != farm.pk or instalment.association_id != association.pk:
            raise ValueError(f"cheque {cheque.pk} is not for farm {farm.pk}")
        _refuse_other_than(instalment, Status.RECEIVED, cheque=cheque)
        if instalment.deposit_not_before > on:
            raise Refused(
                _("The cheque of %(household)s is agreed for %(day)s: it waits for a later slip.")
                % {"household": instalment.household, "day": _day(instalment.deposit_not_before)}
            )
        if stale_after(cheque.issued_on) < on:
            raise Refused(
                _("The cheque of %(household)s dated %(day)s is too old for a bank. Give it back, ask for another.")
                % {"household": instalment.household, "day": _day(cheque.issued_on)}
            )
    last = DepositBatch.objects.filter(association=association).aggregate(last=Max("number"))["last"] or 0
    batch = DepositBatch.objects.create(
        association=association,
        farm=farm,
        number=last + 1,
        handed_over_on=on,
        cheques_count=len(cheques),
        total_cents=sum(cheque.amount_cents for cheque in cheques),
        by=by,
        created_at=now,
    )
    free = Cheque.objects.filter(pk__in=pks, batch=None, is_void=False)
    if free.update(batch=batch) != len(cheques):
        raise Refused(_("Some of these cheques have just been handed over. Reload the page."))
    money.record_all(
        [
            money.movement(
                association=association,
                farm=farm,
                key=f"cheque:{cheque.pk}:deposited",
                debit=f"cheques_sent:{farm.pk}",
                credit=f"cheques_held:{farm.pk}",
                amount_cents=cheque.amount_cents,
                effective_on=on,
                by=by,
                now=now,
            )
            for cheque in cheques
        ]
    )
    states.move_all(instalments, to=Status.HANDED_OVER, by=by, now=now)
    states.record("depositbatch.handed_over", batch, by=by, now=now, after=batch.total_cents)
    return batch


@transaction.atomic
def cash(*instalments, by, now, on=None):
    """The farm says that its bank has paid these cheques, on the day `on` (default: today)."""
    instalments = _lock(one.pk for one in instalments)
    for instalment in instalments:
        _refuse_other_than(instalment, Status.HANDED_OVER)
    events = {}
    for cheque in Cheque.objects.filter(instalment__in=instalments, is_void=False):
        events[cheque.instalment_id] = f"cheque:{cheque.pk}:cleared"
        if on and on < cheque.issued_on:
            raise Refused(
                _("Cheque no. %(number)s is dated %(day)s: its money did not arrive before.")
                % {"number": cheque.number, "day": _day(cheque.issued_on)}
            )
    _arrive(instalments, events, "cheques_sent", by=by, now=now, on=on)
    states.move_all(instalments, to=Status.CASHED, by=by, now=now)


@transaction.atomic
def reject(instalment, *, reason, by, now):
    """The bank did not pay the cheque. Returns the new instalment of the same amount that replaces it (BR-41).

    The household's place is untouched; it is told, and its debt is open again.
    """
    _refuse_without(reason)
    (instalment,) = _lock([instalment.pk])
    _refuse_other_than(instalment, Status.HANDED_OVER, Status.CASHED)
    cheque = instalment.cheques.get(is_void=False)
    lay = "farm_bank" if instalment.status == Status.CASHED else "cheques_sent"
    today = timezone.localdate(now)
    (key,) = money.keys([_bounced(cheque)]).values()
    money.record(
        association=instalment.association,
        farm=instalment.farm,
        key=key,
        debit=_due(instalment),
        credit=f"{lay}:{instalment.farm_id}",
        amount_cents=cheque.amount_cents,
        effective_on=today,
        by=by,
        now=now,
        reason=reason,
    )
    states.move(instalment, to=Status.REJECTED, by=by, now=now, reason=reason)
    (new,) = _add([(instalment, instalment.amount_cents, max(today, instalment.deposit_not_before))], replaces=True)
    states.record("instalment.replaces", new, by=by, now=now, before=instalment.reference, reason=reason)
    tell_missing(new.subscription, [new], key=_told(new), now=now, reason=reason)
    return new


@transaction.atomic
def give_back(instalment, *, reason, by, now):
    """Give a received cheque back to its household. As long as the subscription holds, another one is awaited."""
    _refuse_without(reason)
    (instalment,) = _lock([instalment.pk])
    _refuse_other_than(instalment, Status.RECEIVED)
    cheque = instalment.cheques.get(is_void=False)
    money.record(
        association=instalment.association,
        farm=instalment.farm,
        key=f"cheque:{cheque.pk}:returned",
        debit=_due(instalment),
        credit=f"cheques_held:{instalment.farm_id}",
        amount_cents=cheque.amount_cents,
        effective_on=timezone.localdate(now),
        by=by,
        now=now,
        reason=reason,
    )
    _void(cheque)
    states.move(instalment, to=Status.RETURNED, by=by, now=now, reason=reason)
    if instalment.subscription.status in Subscription.HOLDS:
        states.move(instalment, to=Status.PLANNED, by=by, now=now, reason=reason)
        subscriptions.await_again(instalment.subscription, by=by, now=now, reason=reason)


# Transfers


@transaction.atomic
def declare(*instalments, by, now, is_old_news=False):
    """The household says that the transfers have been ordered (or the standing order set up)."""
    instalments = _lock(one.pk for one in instalments)
    for instalment in instalments:
        _refuse_method(instalment, Instalment.Method.TRANSFER)
        _refuse_other_than(instalment, Status.PLANNED)
        if problem := too_early(instalment, timezone.localdate(now)):
            raise Refused(problem)
    states.move_all(instalments, to=Status.DECLARED, by=by, now=now)
    _validate_complete(instalments, now=now, is_old_news=is_old_news)


@transaction.atomic
def confirm(*instalments, by, now, on=None):
    """The farm sees the transfers on its account, since the day `on` (default: today); announced before or not."""
    instalments = _lock(one.pk for one in instalments)
    for instalment in instalments:
        _refuse_method(instalment, Instalment.Method.TRANSFER)
        _refuse_other_than(instalment, Status.PLANNED, Status.DECLARED)
        signed_on = timezone.localdate(instalment.subscription.signed_at)
        if on and on < signed_on:
            raise Refused(
                _("%(household)s signed on %(day)s: no money arrived before.")
                % {"household": instalment.household, "day": _day(signed_on)}
            )
    events = {one.pk: f"instalment:{one.pk}:confirmed" for one in instalments}
    _arrive(instalments, events, "due", by=by, now=now, on=on)
    states.move_all(instalments, to=Status.CONFIRMED, by=by, now=now)
    _validate_complete(instalments, now=now)


# Back


@transaction.atomic
def correct(instalment, *, reason, by, now):
    """Take back the last step, recorded by mistake: the movement is reversed, history and reason stay (BR-38).

    A cheque taken back from a slip stays listed on it, void, because the slip was signed; a copy is held again. A
    rejection is taken back as long as nothing has come in place of the cheque.
    """
    _refuse_without(reason)
    (instalment,) = _lock([instalment.pk])
    cheque = instalment.cheques.filter(is_void=False).first()
    match instalment.status:
        case Status.RECEIVED:
            undone, to = [f"cheque:{cheque.pk}:received"], Status.PLANNED
            _void(cheque)
        case Status.HANDED_OVER:
            undone, to = [f"cheque:{cheque.pk}:deposited", f"cheque:{cheque.pk}:received"], Status.RECEIVED
            _void(cheque)
            cheque.pk, cheque.batch, cheque.is_void = None, None, False
            cheque.save(force_insert=True)
            money.record_all([_received(cheque, by=by, now=now)])
        case Status.CASHED:
            undone, to = [f"cheque:{cheque.pk}:cleared"], Status.HANDED_OVER
        case Status.REJECTED:
            undone, to = [_bounced(cheque)], _where_it_lay(cheque)
            _await_no_more(instalment, by=by, now=now, reason=reason)
        case Status.CONFIRMED:
            undone, to = [f"instalment:{instalment.pk}:confirmed"], Status.DECLARED
        case Status.DECLARED:
            undone, to = [], Status.PLANNED
        case _:
            raise Refused(_nothing_to_take_back())
    money.reverse_all(money.standing(undone).values(), by=by, now=now, reason=reason)
    states.move(instalment, to=to, by=by, now=now, reason=reason)
    if to == Status.PLANNED:
        subscriptions.await_again(instalment.subscription, by=by, now=now, reason=reason)


# Telling


def tell_missing(subscription, missing, *, key, now, reason="", to_liaisons=False):
    """Write about these instalments of a subscription to its household, or to the farm's liaisons; once per `key`."""
    first, association, farm = missing[0], missing[0].association, subscription.offer.farm
    to = first.household
    url = reverse("contracts:my_payments", args=[association.slug])
    if to_liaisons:
        mandates = FarmLiaison.objects.of(association, farm, timezone.localdate(now))
        to = [one.user for one in mandates.select_related("user")]
        url = reverse("contracts:payments", args=[association.slug])
    letters.post(
        "payment_missing",
        association=association,
        to=to,
        key=f"{key}:liaison" if to_liaisons else key,
        now=now,
        context={
            "household": first.household.name,
            "farm": farm.name,
            "offer": subscription.offer.title,
            "count": len(missing),
            "total_cents": sum(one.amount_cents for one in missing),
            "due_on": min(one.deposit_not_before for one in missing).isoformat(),
            "is_cheque": first.method == Instalment.Method.CHEQUE,
            "is_announced": all(one.status == Status.DECLARED for one in missing),
            "reason": reason,
            "url": url,
        },
    )


# Parts of several actions


def _lock(pks):
    """The instalments, locked after their subscriptions, in the order of ids, with what refusals name."""
    pks = list(pks)
    owners = Instalment.objects.filter(pk__in=pks).values("subscription")
    list(Subscription.objects.select_for_update().filter(pk__in=owners).order_by("pk").values_list("pk"))
    return list(
        Instalment.objects.select_for_update(of=("self",))
        .select_related("association", "farm", "household", "subscription__offer__farm")
        .filter(pk__in=pks)
        .order_by("pk")
    )


def _add(wanted, *, replaces=False):
    """New awaited instalments, [(of which one, cents, from which day)], numbered after those their household has."""
    same = Instalment.objects.filter(
        household=OuterRef("household"), subscription__offer=OuterRef("subscription__offer")
    )
    ever = same.order_by().values("household").annotate(count=Count("pk")).values("count")
    rows = Instalment.objects.filter(pk__in=[one.pk for one, _cents, _on in wanted])
    ever = dict(rows.annotate(ever=Subquery(ever)).values_list("subscription", "ever"))
    last = dict(
        Instalment.objects.filter(subscription__in=ever).order_by().values_list("subscription").annotate(Max("number"))
    )
    new = []
    for one, cents, on in wanted:
        last[one.subscription_id] += 1
        ever[one.subscription_id] += 1
        new.append(
            Instalment(
                association=one.association,
                farm=one.farm,
                household=one.household,
                subscription=one.subscription,
                number=last[one.subscription_id],
                amount_cents=cents,
                method=one.method,
                deposit_not_before=on,
                reference=transfer_reference(
                    one.subscription.offer.code, one.household.number, ever[one.subscription_id]
                ),
                replaces=one if replaces else None,
            )
        )
    return Instalment.objects.bulk_create(new)


def _split(paid, *, by, now):
    """Where a cheque pays a part only, the rest becomes an instalment of its own: the sum stays the price (BR-16)."""
    parts = [(one, cents) for one, cents in paid if cents != one.amount_cents]
    if not parts:
        return
    rest = [(one, one.amount_cents - cents, one.deposit_not_before) for one, cents in parts]
    for new, (one, cents) in zip(_add(rest), parts, strict=True):
        states.record("instalment.split", one, by=by, now=now, before=one.amount_cents, after=cents)
        states.record("instalment.rest_of", new, by=by, now=now, before=one.reference, after=new.amount_cents)
        one.amount_cents = cents
    Instalment.objects.bulk_update([one for one, _cents in parts], ["amount_cents"])


def _received(cheque, *, by, now):
    one = cheque.instalment
    return money.movement(
        association=one.association,
        farm=one.farm,
        key=f"cheque:{cheque.pk}:received",
        debit=f"cheques_held:{one.farm_id}",
        credit=_due(one),
        amount_cents=cheque.amount_cents,
        effective_on=timezone.localdate(cheque.received_at),
        by=by,
        now=now,
    )


def _arrive(instalments, events, source, *, by, now, on):
    """Money on the farm's account, out of `source`; `events` names each instalment's."""
    on = on or timezone.localdate(now)
    if on > timezone.localdate(now):
        raise Refused(_("Money arrived today or before: choose a day that is not in the future."))
    keys = money.keys(events.values())
    money.record_all(
        [
            money.movement(
                association=one.association,
                farm=one.farm,
                key=keys[events[one.pk]],
                debit=f"farm_bank:{one.farm_id}",
                credit=_due(one) if source == "due" else f"{source}:{one.farm_id}",
                amount_cents=one.amount_cents,
                effective_on=on,
                by=by,
                now=now,
            )
            for one in instalments
        ]
    )


def _validate_complete(instalments, *, now, is_old_news=False):
    """Turn the third key where nothing is awaited any more (BR-21)."""
    waiting = Subscription.objects.filter(
        pk__in={one.subscription_id for one in instalments}, status=Subscription.Status.AWAITING_DOCUMENTS
    ).exclude(instalments__status=Status.PLANNED)
    subscriptions.validate_complete(waiting, now=now, is_old_news=is_old_news)


def _bounced(cheque):
    """The event of a bank's refusal."""
    return f"cheque:{cheque.pk}:bounced"


def _where_it_lay(cheque):
    """The state of a rejected cheque's instalment before: money had come to the farm's account, or not yet."""
    (bounced,) = money.standing([_bounced(cheque)]).values()
    return Status.CASHED if bounced.credit.startswith("farm_bank:") else Status.HANDED_OVER


def _await_no_more(rejected, *, by, now, reason):
    """The payment that was awaited in place of a rejected cheque is not, nor is the letter about it if it waits."""
    new = rejected.replaced_by
    _refuse_other_than(new, Status.PLANNED)
    if new.amount_cents != rejected.amount_cents:
        raise Refused(_nothing_to_take_back())
    states.move(new, to=Status.CANCELLED, by=by, now=now, reason=reason)
    new.replaces = None
    new.save(update_fields=["replaces"])
    letters.take_back(_told(new))


def _told(new):
    """The event of telling that another payment is awaited in place of a rejected one."""
    return f"payment_missing:{new.pk}"


def _void(cheque):
    cheque.is_void = True
    cheque.save(update_fields=["is_void"])


def _due(instalment):
    return f"due:{instalment.subscription_id}"


# Refusals


def _refuse_other_than(instalment, *expected, cheque=None):
    if instalment.status in expected:
        return
    cheque = cheque or instalment.cheques.filter(is_void=False).select_related("batch").first()
    if cheque and cheque.batch:
        raise Refused(
            _("The cheque of %(household)s, %(reference)s, was handed over on %(day)s (slip no. %(number)s).")
            % {
                "household": instalment.household,
                "reference": instalment.reference,
                "day": _day(cheque.batch.handed_over_on),
                "number": cheque.batch.number,
            }
        )
    raise Refused(
        _("The payment of %(household)s, %(reference)s, has moved on meanwhile: it is “%(state)s”.")
        % {
            "household": instalment.household,
            "reference": instalment.reference,
            "state": instalment.get_status_display(),
        }
    )


def _refuse_paper(instalment, paper, today):
    if problem := paper_problem(instalment, paper, today):
        raise Refused(problem)
    if paper.amount_cents != instalment.amount_cents and not paper.is_part:
        raise Refused(amounts_differ(instalment, paper.amount_cents))


def paper_problem(instalment, paper, today):
    """Why this cheque cannot be taken for this instalment, as a sentence, or None (BR-35, BR-43c)."""
    if problem := too_early(instalment, today):
        return problem
    if problem := cheque_problem(paper.issued_on, instalment.deposit_not_before, today):
        return problem
    if stale_after(paper.issued_on) < today:
        return _("A cheque dated %(day)s is too old for a bank: ask for a new one.") % {"day": _day(paper.issued_on)}
    if paper.amount_cents > instalment.amount_cents:
        return amounts_differ(instalment, paper.amount_cents)
    return None


def too_early(instalment, today):
    """Why no payment of this contract is taken yet, as a sentence, or None (BR-43c)."""
    day = instalment.subscription.waits_until(today)
    if day is None:
        return None
    return _("The contract of %(household)s was signed on paper: its payments are accepted from %(day)s.") % {
        "household": instalment.household,
        "day": _day(day),
    }


def amounts_differ(instalment, amount_cents):
    """`Cheque of 60.00 for an instalment of 80.00.`"""
    return _("Cheque of %(cheque)s for an instalment of %(instalment)s.") % {
        "cheque": euros_text(amount_cents),
        "instalment": euros_text(instalment.amount_cents),
    }


def _refuse_method(instalment, expected):
    if instalment.method == expected:
        return
    if expected == Instalment.Method.CHEQUE:
        raise Refused(_("%(reference)s is paid by bank transfer.") % {"reference": instalment.reference})
    raise Refused(_("%(reference)s is paid by cheque.") % {"reference": instalment.reference})


def _nothing_to_take_back():
    return _("There is no step to take back here.")


def _refuse_without(reason):
    if not reason.strip():
        raise Refused(_("Say why, in a few words: the history keeps it."))


def _day(day):
    return date_format(day, "DATE_FORMAT")
