"""What waits for somebody: each rule asks, and shows a card as long as there is a reason for it.

A rule is a generator. It first yields what it wants to know (an annotation made by `facts`), is sent the answer (a
list of lists), and yields a `Card`, or ends without one when nothing waits. The rules of a visitor are all asked in one
statement, so a desk costs one query whatever the number of rules. Nobody ticks a card off: it vanishes with its cause.
"""

from dataclasses import replace

from amap.desks.cards import evenings, machinery, members, offers, payments
from amap.desks.cards.rules import Desk, Rule
from amap.models import Association

# The order of these files, and within each of them, is the order of the cards.
SUBJECTS = (evenings, offers, payments, members, machinery)
RULES = [one for subject in SUBJECTS for one in vars(subject).values() if isinstance(one, Rule)]


def cards(association, standing, now):
    """The cards of a visitor, the urgent ones first. One query."""
    desk = Desk(association, standing, now)
    asked = {rule.name: rule.ask(rule.desk(desk)) for rule in RULES if standing.roles & rule.roles}
    if not asked:
        return []
    questions = {name: next(answering) for name, answering in asked.items()}
    answers = Association.objects.order_by().filter(pk=association.pk).annotate(**questions).values(*questions).get()
    found = []
    for name, answering in asked.items():
        try:
            found.append(replace(answering.send(answers[name]), rule=name))
        except StopIteration:
            continue
    return sorted(found, key=lambda card: not card.is_urgent)
