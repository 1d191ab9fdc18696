"""What waits for somebody: each rule asks, and shows a card as long as there is a reason for it.

A rule is two functions: `asks` says what it wants to know (`facts`), the other makes a `Card` of the answer (a list of
lists), or None when nothing waits; an empty answer is never a card. The rules of a visitor are all asked in one
statement, so a desk costs one query whatever the number of rules. Nobody ticks a card off: it vanishes with its cause.
"""

from dataclasses import replace
from functools import lru_cache

from django.db.models import BigAutoField

from amap.desks.cards import evenings, machinery, members, offers, payments
from amap.desks.cards.rules import Desk, Rule
from amap.models import Association
from amap.questions import Given, Question

# The order of these files, and within each of them, is the order of the cards.
SUBJECTS = (evenings, offers, payments, members, machinery)
RULES = [one for subject in SUBJECTS for one in vars(subject).values() if isinstance(one, Rule)]


def cards(association, standing, now):
    """The cards of a visitor, the urgent ones first. One query."""
    desk = Desk(association, standing, now)
    asked = tuple((rule, rule.where(desk)) for rule in RULES if standing.roles & rule.roles)
    if not asked:
        return []
    answers = _question(asked)(association=association.pk, today=desk.today, now=now)
    made = [(rule, rule.card(desk, rows)) for (rule, _where), rows in zip(asked, answers, strict=True) if rows]
    found = [replace(card, rule=rule.name) for rule, card in made if card]
    return sorted(found, key=lambda card: not card.is_urgent)


@lru_cache(256)
def _question(asked):
    """What these rules ask together. Everybody with the same roles asks the same."""

    def ask():
        here = Association.objects.filter(pk=Given("association", BigAutoField()))
        return here.values_list(*[rule.asks(where) for rule, where in asked])

    return Question(ask)
