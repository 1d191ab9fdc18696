"""Payments: handed in, handed over, cashed; what bounces, what is late, what was badly drawn."""

from datetime import date, timedelta

from amap.demo import people as cast
from contracts.actions import payments
from contracts.models import Cheque, Instalment

BANKS = ("Banque du Val", "Crédit des Communes", "Caisse des Prés", "Banque d'Aulne")


def hand_in(year, day, one):
    """An evening of cheques; those who pay by transfer announce their standing order."""
    now = year.moment(day, 19)
    awaited = Instalment.objects.filter(subscription__offer=year.offers[one.key], status="planned")
    awaited = list(awaited.select_related("household").order_by("household__number", "number"))
    cheques = [instalment for instalment in awaited if instalment.method == "cheque"]
    payments.receive(
        [(instalment, paper(year, instalment, day, one.code)) for instalment in cheques], by=year.users[8], now=now
    )
    payments.declare(*[one for one in awaited if one.method == "transfer"], by=year.users[8], now=now)


def paper(year, instalment, day, code=""):
    number = instalment.household.number
    return payments.Paper(
        number=f"{4000000 + number * 977 + instalment.number + sum(map(ord, code)) * 131:07d}",
        drawer=instalment.household.members.first().name,
        amount_cents=instalment.amount_cents,
        issued_on=day,
        bank=BANKS[number % len(BANKS)],
    )


def deposit(year, day):
    """The liaison hands each farm the cheques of the month."""
    for slug, farm in year.farms.items():
        cheques = list(
            Cheque.objects.filter(
                instalment__farm=farm,
                instalment__association=year.association,
                instalment__status="received",
                instalment__deposit_not_before__lte=day,
            )
        )
        if cheques:
            liaison = next(one.liaison for one in cast.FARMS if one.slug == slug)
            payments.hand_over(
                farm,
                association=year.association,
                cheques=cheques,
                on=day,
                by=year.users[liaison],
                now=year.moment(day, 19),
            )


def reach_the_bank(year, day):
    """Each farm sees on its statement the cheques cashed and the transfers of the month."""
    now = year.moment(day, 21)
    for slug, farm in year.farms.items():
        mine = Instalment.objects.filter(farm=farm, association=year.association)
        if handed_over := list(mine.filter(status="handed_over")):
            payments.cash(*handed_over, by=year.users[slug], now=now)
        if arrived := list(mine.filter(status="declared", deposit_not_before__lte=day - timedelta(days=5))):
            # Two transfers of November for the vegetables do not come.
            late = {21, 34} if slug == "saules-gris" and year.written(day) > date(2026, 11, 1) else set()
            arrived = [one for one in arrived if one.household.number not in late]
            if arrived:
                payments.confirm(*arrived, by=year.users[slug], now=now)


def vegetable_instalment(year, number, **which):
    return Instalment.objects.filter(
        subscription__offer=year.offers["vegetables"], household=year.households[number], **which
    )


def bounce(year, day, number):
    """The bank did not pay the cheque of June."""
    cashed = vegetable_instalment(year, number, status="cashed").order_by("-number").first()
    payments.reject(cashed, reason="Provision insuffisante", by=year.users["saules-gris"], now=year.moment(day, 9))


def replace_cheque(year, day, number):
    awaited = vegetable_instalment(year, number, status="planned").get()
    payments.receive([(awaited, paper(year, awaited, day, "R"))], by=year.users[8], now=year.moment(day, 19))


def misdrawn_cheques(year, day, numbers):
    """Made out to the farmer instead of her company: given back. The new ones are the treasurer's pile."""
    for number in numbers:
        for held in vegetable_instalment(year, number, status="received"):
            payments.correct(
                held,
                reason="Chèque à l'ordre de la paysanne au lieu de l'EARL\N{NO-BREAK SPACE}: à refaire",
                by=year.users[8],
                now=year.moment(day, 19, 30),
            )
