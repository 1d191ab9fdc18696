"""What a sign-up costs, beside the same work done by hand through the database's driver (P8).

Both sides are a whole transaction, committed to disk. Both read the offer with its farm, association and place, its
sizes and its season, whether the household is a member, has signed already or had payments before, who waits in line,
the liaison and the household's people; and both write the subscription, its lines, each instalment, the signature, the
frozen content with its digest, the movement, the audit entry and a letter to each reader, and take the place. By hand
that is one plain statement for each question and each row, with nothing around it: no objects, no checks of the
choices, no prices worked out; the content is the one a sign-up made before.
"""

import hashlib
import json
from datetime import timedelta
from functools import cache
from uuid import uuid4

from django.db import connection
from django.test.utils import CaptureQueriesContext

from amap import clock
from amap.bench import meters
from amap.bench.fill import fill
from amap.models import Association
from contracts.actions import subscriptions
from contracts.models import ContractDocument, ContractOffer, Delivery
from contracts.signing import Proposal, look_around

DELIVERIES = 50


def figures(rounds):
    """(milliseconds, ratio to the driver, statements, content of one contract) of a sign-up in twelve instalments.

    Each sign-up stays: it is made in an association of its own, of which there is one more at each run.
    """
    now = clock.now()
    slug = f"signing-{Association.objects.count()}"
    # The season begins in a week: all of it is ahead.
    start = now + timedelta(weeks=DELIVERIES * 3 // 5 + 1)
    association = fill(slug, households=rounds + 2, farms=2, contracts=0, deliveries=DELIVERIES, now=start)
    association.deliveries.update(status=Delivery.Status.SCHEDULED)
    homes = list(association.households.all())
    by_orm, by_hand = ContractOffer.objects.filter(association=association).order_by("pk")
    proposal = Proposal(look_around(by_orm, None, now.date()), now=now)
    choices = [(proposal.items[0].pk, 1, "every")]
    quoted = proposal.quote(choices)
    plan = proposal.plan(quoted, max(proposal.plans(quoted)))

    def sign(household):
        return subscriptions.sign(
            by_orm,
            household=household,
            choices=choices,
            instalment_count=len(plan),
            method="cheque",
            client_token=uuid4(),
            name="Banc d'essai",
            expected_total_cents=quoted.total_cents,
            by=None,
            now=now,
        )

    sign(homes.pop())
    with CaptureQueriesContext(connection) as seen:
        signed = sign(homes.pop())
    statements = sum(one["sql"].startswith(("SELECT", "INSERT", "UPDATE")) for one in seen)
    content = ContractDocument.objects.get(subscription=signed).content
    driver = Driver()

    def sign_by_hand(household):
        driver.run("BEGIN IMMEDIATE" if driver.is_sqlite else "BEGIN")
        driver.sign(by_hand.pk, household.pk, plan, content, now)
        driver.run("COMMIT")

    orm_homes, hand_homes = iter(homes), iter(homes)
    ms, ratio = meters.in_turn(lambda: sign(next(orm_homes)), lambda: sign_by_hand(next(hand_homes)), rounds - 1)
    return ms, ratio, statements, content


class Driver:
    """SQL through the database's own driver."""

    def __init__(self):
        connection.ensure_connection()
        self.cursor = connection.connection.cursor()
        self.is_sqlite = connection.vendor == "sqlite"

    def sign(self, offer_id, household_id, plan, content, now):
        """The rows of one sign-up, for the first size of the offer at every delivery. The caller begins and commits."""
        token, at, today = uuid4().hex, str(now), str(now.date())
        (offer,) = self.run(
            "SELECT o.*, f.*, a.*, p.*, o.association_id, o.farm_id, o.starts_on FROM contracts_contractoffer o"
            " JOIN amap_farm f ON f.id = o.farm_id JOIN amap_association a ON a.id = o.association_id"
            " JOIN amap_pickupplace p ON p.id = o.place_id WHERE o.id = %s",
            offer_id,
        )
        association_id, farm_id, starts_on = offer[-3:]
        self.run(
            "SELECT id FROM contracts_subscription WHERE household_id = %s AND (client_token = %s OR"
            " offer_id = %s AND status IN ('awaiting_documents', 'validated', 'active', 'completed', 'settled'))",
            household_id,
            token,
            offer_id,
        )
        self.run(
            "SELECT id, household_id, equivalents_hundredths FROM contracts_waitinglistentry"
            " WHERE offer_id = %s AND status = 'waiting' ORDER BY created_at, id",
            offer_id,
        )
        self.run(
            "SELECT m.id FROM amap_membership m JOIN amap_membershipperiod p ON p.id = m.period_id"
            " WHERE m.household_id = %s AND m.status <> 'cancelled' AND (p.starts_on <= %s AND p.ends_on >= %s"
            " OR p.starts_on <= %s AND p.ends_on >= %s)",
            *(household_id, today, today, starts_on, starts_on),
        )
        self.run(
            "SELECT u.name FROM amap_farmliaison l JOIN amap_partnership p ON p.id = l.partnership_id"
            " JOIN amap_user u ON u.id = l.user_id WHERE p.association_id = %s AND p.farm_id = %s"
            " AND l.starts_on <= %s AND (l.ends_on IS NULL OR l.ends_on >= %s)",
            *(association_id, farm_id, today, today),
        )
        ((before,),) = self.run(
            "SELECT count(*) FROM contracts_instalment i JOIN contracts_subscription s ON s.id = i.subscription_id"
            " WHERE i.household_id = %s AND s.offer_id = %s",
            *(household_id, offer_id),
        )
        people = self.run(
            "SELECT m.name, m.phone, m.email, m.language, u.email, u.language FROM amap_member m"
            " LEFT JOIN amap_user u ON u.id = m.user_id WHERE m.household_id = %s ORDER BY m.position, m.id",
            household_id,
        )
        (size_id, price_cents), *_others = self.run(
            "SELECT id, price_cents FROM contracts_sharesize WHERE offer_id = %s ORDER BY position, id", offer_id
        )
        season = self.run(
            "SELECT id, rank, day, status FROM contracts_delivery WHERE offer_id = %s AND status <> 'cancelled'"
            " ORDER BY rank",
            offer_id,
        )
        total_cents = price_cents * len(season)
        ((pk,),) = self._insert(
            "contracts_subscription",
            association_id=association_id,
            offer_id=offer_id,
            household_id=household_id,
            status="awaiting_documents",
            first_rank=1,
            last_rank=len(season),
            deliveries_count=len(season),
            equivalents_hundredths=100,
            total_cents=total_cents,
            method="cheque",
            client_token=token,
            signed_at=at,
            reserved_until=at,
        )
        self._insert(
            "contracts_subscriptionline",
            subscription_id=pk,
            size_id=size_id,
            quantity=1,
            turn="every",
            unit_price_cents=price_cents,
        )
        for number, part in enumerate(plan, start=1 + before):
            self._insert(
                "contracts_instalment",
                association_id=association_id,
                farm_id=farm_id,
                household_id=household_id,
                subscription_id=pk,
                number=number,
                amount_cents=part.cents,
                method="cheque",
                deposit_not_before=str(part.on),
                status="planned",
                reference=f"AMAP-{pk}-{number:02}",
            )
        text = json.dumps(content, sort_keys=True, ensure_ascii=False)
        digest = hashlib.sha256(text.encode()).hexdigest()
        self._insert(
            "contracts_signature",
            subscription_id=pk,
            side="household",
            name="Banc d'essai",
            at=at,
            is_paper=False,
            content_sha256=digest,
        )
        self._insert(
            "contracts_contractdocument", subscription_id=pk, content=text, content_sha256=digest, pdf_sha256=""
        )
        self._insert(
            "amap_movement",
            association_id=association_id,
            farm_id=farm_id,
            key=f"contract:{pk}:signed",
            debit=f"due:{pk}",
            credit=f"sold:{pk}",
            amount_cents=total_cents,
            effective_on=today,
            recorded_at=at,
            reason="",
        )
        self._insert(
            "amap_auditentry",
            association_id=association_id,
            at=at,
            verb="subscription.signed",
            about="contracts.subscription",
            about_id=pk,
            before="",
            after="awaiting_documents",
            reason="",
        )
        for *_name, own, own_language, email, language in people:
            self._insert(
                "amap_letter",
                association_id=association_id,
                key=f"contract_signed:{pk}:{email or own}",
                kind="contract_signed",
                to=email or own,
                language=language or own_language,
                context=json.dumps({"household": household_id, "total_cents": total_cents}),
                is_urgent=True,
                status="queued",
                created_at=at,
                send_after=at,
                tries=0,
                error="",
            )
        self.run(
            "UPDATE contracts_contractoffer SET taken_hundredths = taken_hundredths + 100"
            " WHERE id = %s AND taken_hundredths <= capacity_hundredths - 100",
            offer_id,
        )

    def _insert(self, table, **values):
        return self.run(_insertion(table, *values), *values.values())

    def run(self, sql, *values):
        self.cursor.execute(sql.replace("%s", "?") if self.is_sqlite else sql, values)
        return self.cursor.fetchall() if self.cursor.description else []


@cache
def _insertion(table, *columns):
    names = ", ".join(f'"{name}"' for name in columns)
    # The names are those above.
    return f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(columns))}) RETURNING id"  # noqa: S608
