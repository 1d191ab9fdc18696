"""Read-only: do the books agree with what was signed and handed over? (reliability.md §2.9)

Each check is one or two statements over everything and yields a sentence per difference, with the ids to look for.
The nightly duty fails loudly on the first night a difference appears; `manage.py check_books` says the same by hand.
"""

from collections import Counter, defaultdict

from django.db.models import Count, F, Q, Sum

from amap.actions.money import FARM_ACCOUNTS
from amap.models import Membership, Movement
from contracts.models import Cheque, ContractOffer, DepositBatch, Instalment, Subscription

Status = Instalment.Status
HANDED_IN = (Status.RECEIVED, Status.HANDED_OVER, Status.CASHED, Status.CONFIRMED)
WITH_CHEQUE = (Status.RECEIVED, Status.HANDED_OVER, Status.CASHED, Status.REJECTED)


def nightly():
    """Daily duty. Raises with the first differences, so that the job ends on the committee's desk."""
    if found := differences():
        raise AssertionError("; ".join(found[:5]))


def differences() -> list[str]:
    """Everything that does not add up, as sentences for an operator (in English). Empty when the books are right."""
    balances = _balances()
    checks = (
        _instalments_and_totals(),
        _capacity(),
        _sums_of_movements(balances),
        _what_is_due(balances),
        _clearing_accounts(balances),
        _cheques(),
        _slips(),
        _payees(),
        _fees(balances),
    )
    return [sentence for check in checks for sentence in check]


def _instalments_and_totals():
    """Σ instalments = total, for every subscription that holds (BR-16)."""
    rows = (
        Subscription.objects.filter(status__in=Subscription.HOLDS)
        .annotate(
            promised=Sum("instalments__amount_cents", filter=Q(instalments__status__in=Instalment.COUNTS), default=0)
        )
        .exclude(promised=F("total_cents"))
    )
    for pk, promised, wanted in rows.values_list("pk", "promised", "total_cents"):
        yield f"subscription {pk}: instalments add up to {promised}, the price is {wanted}"


def _capacity():
    """Places taken = Σ share-equivalents of the subscriptions that hold one (BR-20)."""
    rows = (
        ContractOffer.objects.annotate(
            held=Sum(
                "subscriptions__equivalents_hundredths",
                filter=Q(subscriptions__status__in=Subscription.HOLDS),
                default=0,
            )
        )
        .exclude(held=F("taken_hundredths"))
        .values_list("pk", "held", "taken_hundredths")
    )
    for pk, held, taken in rows:
        yield f"offer {pk}: {taken} hundredths taken, subscriptions hold {held}"


def _balances():
    """{(association, farm, account): cents} over all movements, in two statements."""
    balances = Counter()
    for side, sign in (("debit", 1), ("credit", -1)):
        rows = Movement.objects.order_by().values_list("association", "farm", side).annotate(Sum("amount_cents"))
        for association, farm, account, cents in rows:
            balances[association, farm, account] += sign * cents
    return balances


def _sums_of_movements(balances):
    """Σ of all balances of a book = 0, reversals mirror what they reverse, accounts stay in their book."""
    books = defaultdict(int)
    for (association, farm, account), cents in balances.items():
        books[association, farm] += cents
        is_farms = account.partition(":")[0] in FARM_ACCOUNTS
        if is_farms != (farm is not None):
            yield f"account {account} is in the wrong book (association {association}, farm {farm})"
    for (association, farm), cents in books.items():
        if cents:
            yield f"book of association {association}, farm {farm}: balances add up to {cents}"
    crooked = Movement.objects.exclude(reverses=None).exclude(
        debit=F("reverses__credit"), credit=F("reverses__debit"), amount_cents=F("reverses__amount_cents")
    )
    for pk in crooked.values_list("pk", flat=True):
        yield f"movement {pk} does not mirror the one it reverses"


def _what_is_due(balances):
    """`sold` = the price, `due` = the price − what was handed in; for a dead subscription, what it keeps."""
    rows = Subscription.objects.annotate(
        handed_in=Sum("instalments__amount_cents", filter=Q(instalments__status__in=HANDED_IN), default=0)
    ).values_list("pk", "status", "association", "offer__farm", "total_cents", "handed_in")
    for pk, status, association, farm, price, handed_in in rows:
        sold = -balances[association, farm, f"sold:{pk}"]
        if status in Subscription.HOLDS and sold != price:
            yield f"subscription {pk}: sold for {sold}, the price is {price}"
        if (due := balances[association, farm, f"due:{pk}"]) != sold - handed_in:
            yield f"subscription {pk}: due is {due}, sold − handed in is {sold - handed_in}"


def _clearing_accounts(balances):
    """Cheques held, sent and cashed: the accounts say what the instalments' states say."""
    expected = defaultdict(int)
    accounts = {
        Status.RECEIVED: "cheques_held",
        Status.HANDED_OVER: "cheques_sent",
        Status.CASHED: "farm_bank",
        Status.CONFIRMED: "farm_bank",
    }
    rows = (
        Instalment.objects.filter(status__in=accounts)
        .order_by()
        .values_list("association", "farm", "status")
        .annotate(Sum("amount_cents"))
    )
    for association, farm, status, cents in rows:
        expected[association, farm, f"{accounts[status]}:{farm}"] += cents
    booked = {place: cents for place, cents in balances.items() if place[2].partition(":")[0] in accounts.values()}
    for place in sorted(expected.keys() | booked.keys(), key=str):
        if expected[place] != booked.get(place, 0):
            yield f"{place[2]} (association {place[0]}): booked {booked.get(place, 0)}, states say {expected[place]}"


def _cheques():
    """Every handed-in cheque instalment has exactly one live cheque of its amount; nothing awaited has one."""
    live = {"cheques__is_void": False}
    rows = Instalment.objects.annotate(
        live=Count("cheques", filter=Q(**live)), worth=Sum("cheques__amount_cents", filter=Q(**live), default=0)
    )
    for pk, count in rows.filter(status__in=WITH_CHEQUE).exclude(live=1).values_list("pk", "live"):
        yield f"instalment {pk} has {count} live cheques instead of one"
    for pk in rows.filter(live=1).exclude(status__in=WITH_CHEQUE).values_list("pk", flat=True):
        yield f"instalment {pk} has a live cheque, but its state says otherwise"
    for pk, worth, cents in (
        rows.filter(live=1).exclude(worth=F("amount_cents")).values_list("pk", "worth", "amount_cents")
    ):
        yield f"instalment {pk} is of {cents}, its cheque of {worth}"
    handed = Cheque.objects.filter(
        is_void=False, instalment__status__in=(Status.HANDED_OVER, Status.CASHED), batch=None
    )
    for pk in handed.values_list("pk", flat=True):
        yield f"cheque {pk} is handed over without a slip"
    for pk in Cheque.objects.filter(is_void=False, instalment__status=Status.RECEIVED, batch__isnull=False).values_list(
        "pk", flat=True
    ):
        yield f"cheque {pk} is in two places: held, and on a slip"


def _slips():
    """A slip's count and sum are those of the cheques on it, all of one farm (BR-39)."""
    rows = DepositBatch.objects.annotate(
        count=Count("cheques"),
        worth=Sum("cheques__amount_cents", default=0),
        strangers=Count("cheques", filter=~Q(cheques__instalment__farm=F("farm"))),
    )
    for pk, strangers in rows.filter(strangers__gt=0).values_list("pk", "strangers"):
        yield f"slip {pk} holds {strangers} cheques of another farm"
    for row in rows.exclude(count=F("cheques_count"), worth=F("total_cents")):
        yield f"slip {row.pk}: {row.count} cheques of {row.worth}, it says {row.cheques_count} of {row.total_cents}"


def _payees():
    """Every instalment is owed to the farm of its offer, by the household that signed (BR-31)."""
    rows = Instalment.objects.exclude(
        farm=F("subscription__offer__farm"),
        household=F("subscription__household"),
        association=F("subscription__association"),
    )
    for pk in rows.values_list("pk", flat=True):
        yield f"instalment {pk} has another payee or payer than its contract"


def _fees(balances):
    """What the association's book took in = the paid memberships' totals (BR-4)."""
    paid = dict(Membership.objects.paid().order_by().values_list("association").annotate(Sum("total_cents")))
    booked = defaultdict(int)
    for (association, farm, account), cents in balances.items():
        if farm is None and account in ("bank", "cash", "cheques"):
            booked[association] += cents
    for association in sorted(paid.keys() | booked.keys()):
        if paid.get(association, 0) != booked[association]:
            yield f"association {association}: fees paid {paid.get(association, 0)}, booked {booked[association]}"
