"""One association with a row of everything, and people on every side of it; for tests that walk the whole site."""

from datetime import date, time, timedelta
from uuid import uuid4

from amap.actions import feeds, invitations
from amap.models import (
    CommitteeSeat,
    Farm,
    Farmer,
    FarmLiaison,
    Import,
    Job,
    Letter,
    MembershipPeriod,
    Movement,
    Partnership,
    User,
)
from contracts.models import Cheque, ContractDocument, DepositBatch, FarmBudget, Instalment, WaitingListEntry
from deliveries.models import Distribution, HarvestList, Shift, ShiftAssignment, ShiftRole
from tests.cast import LONG_AGO, NOW, TODAY, Amap

SOON = date(2026, 11, 26)


class World:
    """`.amap` and `.other` (a second association); `.ids`: what stands for a route's `<…>`; `.people`: who asks."""

    def __init__(self):
        self.amap, self.other = Amap(), Amap("rocheval", "AMAP de Rocheval")
        amap = self.amap
        neighbour = Farm.objects.create(slug="vieux-noyer", name="Fournil du Vieux Noyer", kind="bread")
        partnership = Partnership.objects.create(association=amap.association, farm=neighbour, since=LONG_AGO)
        baker = amap.user("ismael", "Ismaël Bonnavent")
        Farmer.objects.create(farm=neighbour, user=baker)
        baker_liaison = amap.person("Sami Pain")
        FarmLiaison.objects.create(partnership=partnership, user=baker_liaison, starts_on=LONG_AGO)
        solidarity = amap.person("Sol Idaire", seat="solidarity")
        self.people = {
            "anonymous": None,
            "stranger": User.objects.create_user("nobody@example.org", name="Nobody"),
            "member": amap.member,
            "other member": amap.person("Autre Foyer"),
            "farmer": amap.farmer,
            "other farmer": baker,
            "liaison": amap.liaison,
            "other liaison": baker_liaison,
            "treasurer": amap.treasurer,
            "secretary": amap.secretary,
            "lead": amap.lead,
            "solidarity": solidarity,
            "committee": amap.committee,
            "their treasurer": self.other.treasurer,
            "their farmer": self.other.farmer,
        }
        self.ids = self.rows()

    def rows(self):
        """One row of each kind, the member's own where it belongs to a household, the farm's where to a farm."""
        amap = self.amap
        association, household, farm = amap.association, amap.household, amap.farm
        offer = amap.offer(alternate_allowed=True)
        budget = FarmBudget.objects.create(offer=offer, planned_equivalents_hundredths=4200)
        budget.lines.create(category="income", label="Revenu", amount_cents=882000)
        draft = amap.offer(title="Brouillon", status="draft")
        signed = amap.subscribe(household, offer)
        instalment = signed.instalments.get(number=1)
        ContractDocument.objects.create(
            subscription=signed, content={}, content_sha256="x", pdf=b"%PDF-", pdf_sha256="x", made_at=NOW
        )
        Instalment.objects.filter(pk=instalment.pk).update(status="handed_over")
        batch = DepositBatch.objects.create(
            association=association,
            farm=farm,
            number=1,
            handed_over_on=TODAY,
            cheques_count=1,
            total_cents=instalment.amount_cents,
            by=amap.liaison,
            created_at=NOW,
        )
        Cheque.objects.create(
            instalment=instalment,
            number="1234567",
            drawer="Mina Membre",
            amount_cents=instalment.amount_cents,
            issued_on=TODAY - timedelta(days=30),
            received_at=NOW,
            received_by=amap.liaison,
            batch=batch,
        )
        key = f"contract:{signed.pk}:signed"
        Movement.objects.create(
            association=association,
            farm=farm,
            key=key,
            debit=f"due:{signed.pk}",
            credit=f"sold:{signed.pk}",
            amount_cents=signed.total_cents,
            effective_on=TODAY,
            recorded_at=NOW,
        )
        waiting = WaitingListEntry.objects.create(
            association=association,
            offer=offer,
            household=household,
            equivalents_hundredths=50,
            client_token=uuid4(),
            created_at=NOW,
        )
        evening = Distribution.objects.create(
            association=association,
            place=amap.place,
            day=SOON,
            opens_at=time(18, 30),
            closes_at=time(19, 45),
            volunteers_from=time(18),
            volunteers_until=time(20),
        )
        delivery = offer.deliveries.get(day=SOON)
        HarvestList.objects.create(delivery=delivery, posted_at=NOW, posted_by=amap.farmer, news="Bonjour")
        role = ShiftRole.objects.create(association=association, name="Pesée", needed=3)
        shift = Shift.objects.create(distribution=evening, role=role, needed=3, taken=1)
        assignment = ShiftAssignment.objects.create(
            association=association, distribution=evening, shift=shift, household=household, taken_at=NOW
        )
        member = household.members.get()
        paper = amap.new_household("Papier")
        unlinked = paper.members.create(association=association, name="Paule Papier", email="paule@example.org")
        invitation, token = invitations.invite(association, member=unlinked, by=amap.committee, now=NOW)
        return {
            "association": association.slug,
            "household": household.pk,
            "paper household": paper.pk,
            "unpaid household": amap.new_household("Neuf", paid=False).pk,
            "member": member.pk,
            "unlinked": unlinked.pk,
            "invitation": invitation.pk,
            "token": token,
            "seat": CommitteeSeat.objects.get(user=amap.treasurer).pk,
            "farm": farm.slug,
            "farmer": farm.farmers.get().pk,
            "liaison": amap.partnership.liaisons.get().pk,
            "membership": household.memberships.get().pk,
            "period": MembershipPeriod.objects.get(association=association).pk,
            "place": amap.place.pk,
            "offer": offer.pk,
            "draft": draft.pk,
            "subscription": signed.pk,
            "instalment": instalment.pk,
            "batch": batch.pk,
            "waiting": waiting.pk,
            "distribution": evening.pk,
            "delivery": delivery.pk,
            "shift": shift.pk,
            "assignment": assignment.pk,
            "feed": feeds.renew(amap.member, now=NOW),
            "proposed": amap.offer(title="Proposé", status="proposed").pk,
            "import": Import.objects.create(
                association=association,
                kind="households",
                file_name="foyers.csv",
                sheets=[{"name": "foyers", "rows": [["Nom"], ["Martin"]]}],
                columns=["name"],
                by=amap.committee,
                created_at=NOW,
            ).pk,
            "letter": Letter.objects.create(
                association=association,
                key="letter",
                kind="invitation",
                to="paule@example.org",
                language="fr",
                status="unknown",
                created_at=NOW,
                send_after=NOW,
            ).pk,
            "job": Job.objects.create(
                association=association,
                key="job",
                kind="deliveries.tasks.make_paper",
                status="parked",
                created_at=NOW,
                next_try_at=NOW,
                by=amap.committee,
                title="Feuille d'émargement",
                pdf=b"%PDF-",
            ).pk,
        }
