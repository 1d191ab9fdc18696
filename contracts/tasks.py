"""What the worker does about contracts without anybody asking (`amap/duties.py` says when)."""

from contextlib import suppress
from datetime import timedelta
from hashlib import sha256

from django.db.models import Exists, OuterRef
from django.utils import timezone, translation

from amap import clock, jobs, pdf
from amap.errors import Refused
from amap.models import Association, Job
from contracts import documents
from contracts.actions import offers, payments, places, subscriptions
from contracts.models import ContractDocument, ContractOffer, Instalment, Subscription, WaitingListEntry


def ask_for_documents(now):
    """Enqueue the PDF of each contract that has none yet. The document's own row is what waits: signing adds no job."""
    waiting = ContractDocument.objects.filter(pdf=None).order_by("pk").values_list("pk", "subscription__association")
    by_key = {f"document:{pk}": (pk, association) for pk, association in waiting[:500]}
    known = set(Job.objects.filter(key__in=by_key).values_list("key", flat=True)) if by_key else ()
    for key, (pk, association) in by_key.items():
        if key not in known:
            jobs.enqueue(
                "contracts.tasks.fill_document",
                key=key,
                now=now,
                association=Association(pk=association),
                document_id=pk,
            )


def fill_document(document_id):
    """The contract's PDF as bytes: made the first time, the same bytes for ever after (BR-22).

    Two who ask at once may both make it; the first to store it wins, and both answer what was stored.
    """
    document = ContractDocument.objects.get(pk=document_id)
    if document.pdf is None:
        made = contract_pdf(document.content, document.content_sha256)
        ContractDocument.objects.filter(pk=document_id, pdf=None).update(
            pdf=made, pdf_sha256=sha256(made).hexdigest(), made_at=clock.now()
        )
        document.refresh_from_db()
    return bytes(document.pdf)


def contract_pdf(content, fingerprint="", printed_at=None):
    """A contract's content as a PDF, in French whatever the reader's language (BR-74). Stores nothing.

    `printed_at`: of a blank one; a signed one says when it was signed.
    """
    with translation.override("fr"):
        context = documents.on_paper(content) | {"fingerprint": fingerprint, "printed_at": printed_at}
    return pdf.render("print/contract.html", context, language="fr")


def turn_last_keys(now):
    """Validate the contracts that lacked only something outside of them, such as the membership's fee (BR-21)."""
    awaited = Instalment.objects.awaited().filter(subscription=OuterRef("pk"))
    waiting = list(Subscription.objects.filter(~Exists(awaited), status=Subscription.Status.AWAITING_DOCUMENTS))
    missing = subscriptions.missing_keys_of(waiting) if waiting else {}
    subscriptions.validate_complete([one for one in waiting if one.pk not in missing], now=now)


def give_places_back(now):
    """Sign-ups of which no payment came in the days their place was kept for give it back (BR-20).

    Where a payment has come, or the season has begun, people decide: the sign-up stays on the committee's desk.
    """
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    over = Subscription.objects.filter(status=Subscription.Status.AWAITING_DOCUMENTS, reserved_until__lt=midnight)
    for subscription in over.order_by("pk"):
        with suppress(Refused):
            subscriptions.give_place_back(subscription, now=now)


def let_leavers_go(now):
    """Households that have left wait for no place any more: whoever comes after them moves up (BR-30)."""
    gone = WaitingListEntry.objects.filter(
        status=WaitingListEntry.Status.WAITING, household__left_on__lte=timezone.localdate(now)
    )
    for entry in gone:
        places.stop_waiting(entry, by=None, now=now)


def start_and_end_seasons(now):
    """Start the seasons whose first delivery has come, close those that are over.

    Returns how many offers moved. A season that cannot move yet stays as it is: the committee's desk shows why.
    """
    moved, today = 0, timezone.localdate(now)
    steps = (
        (offers.start, ContractOffer.objects.filter(status=ContractOffer.Status.OPEN, starts_on__lte=today)),
        (offers.close, ContractOffer.objects.filter(status=ContractOffer.Status.RUNNING, ends_on__lt=today)),
    )
    for step, due in steps:
        for offer in due.order_by("pk"):
            with suppress(Refused):
                step(offer, now=now)
                moved += 1
    return moved


def follow_the_calendar(now):
    """Valid subscriptions whose first delivery has come run; running ones whose last has been are complete."""
    today = timezone.localdate(now)
    live = Subscription.objects.with_days()
    for subscription in live.filter(status=Subscription.Status.VALIDATED, first_day__lte=today):
        subscriptions.begin(subscription, now=now)
    for subscription in live.filter(status=Subscription.Status.ACTIVE, last_day__lt=today):
        subscriptions.complete(subscription, now=now)


def remind_of_payments(now):
    """What is late is written to the household, a week later to the farm's liaisons; and what is still missing three
    days before a reserved place is given away. Each once (BR-41, BR-75).
    """
    today = timezone.localdate(now)
    for association in Association.objects.all():
        instalments, grace = association.instalments, association.grace_days
        for subscription, late in _by_subscription(instalments.overdue(today, grace)):
            payments.tell_missing(subscription, late, key=f"payment_late:{late[-1].pk}", now=now)
        for subscription, late in _by_subscription(instalments.overdue(today, grace + 7)):
            payments.tell_missing(subscription, late, key=f"payment_late:{late[-1].pk}", now=now, to_liaisons=True)
        soon = instalments.awaited().filter(
            subscription__status=Subscription.Status.AWAITING_DOCUMENTS,
            subscription__reserved_until__lte=now + timedelta(days=3),
        )
        for subscription, missing in _by_subscription(soon):
            until = timezone.localdate(subscription.reserved_until)
            key = f"payment_missing:subscription:{subscription.pk}:{until}"
            payments.tell_missing(subscription, missing, key=key, now=now)


def _by_subscription(instalments):
    """[(subscription, its instalments, the last agreed one at the end)]"""
    found = {}
    rows = instalments.order_by("subscription_id", "deposit_not_before", "number")
    for one in rows.select_related("subscription__offer__farm", "household", "association"):
        found.setdefault(one.subscription_id, []).append(one)
    return [(missing[0].subscription, missing) for missing in found.values()]
