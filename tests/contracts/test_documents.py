"""The contract on paper (D1): everything in it, French for everybody, the same bytes for ever (BR-22, BR-74)."""

import io
from datetime import date, datetime, time
from hashlib import sha256
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override
from pypdf import PdfReader

from amap import jobs, pdf
from amap.actions import settings
from amap.errors import Refused
from amap.models import Job
from contracts import documents, tasks
from contracts.actions import offers, subscriptions
from contracts.models import ContractDocument, OfferAcceptance
from tests.cast import NOW, PARIS, Amap

pytestmark = pytest.mark.django_db


@pytest.fixture
def amap():
    return Amap()


def sign(amap, offer, choices, total, **changed):
    answers = {"method": "cheque", "instalment_count": 3, "name": "Mina Membre", "client_token": uuid4()}
    return subscriptions.sign(
        offer,
        household=amap.household,
        choices=choices,
        expected_total_cents=total,
        by=amap.member,
        now=NOW,
        **answers | changed,
    )


@pytest.fixture
def signed(amap):
    offer = amap.offer(status="open", start=date(2026, 12, 3))
    return sign(amap, offer, [(offer.sizes.first().pk, 1, "every")], 21000)


def words(content):
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


def test_the_contract_says_everything_and_who_keeps_a_copy_d1(amap, signed):
    with override("en"):
        text = words(tasks.fill_document(signed.document.pk))
    for passage in (
        "EARL Ferme des Saules Gris",
        "Foyer Membre (H-006)",
        "charte des AMAP",
        "Référent·e de la ferme : Lou Lien",
        "10 livraisons du jeudi 3 décembre 2026 au jeudi 4 février 2027",
        "décembre 2026 : 3, 10, 17, 24, 31 · janvier 2027 : 7, 14, 21, 28 · février 2027 : 4",
        "Préau de l'école, 3 rue des Écoles, Belombre-sur-Aulne, le jeudi de 18:30 à 19:45",
        "Au moins 5 variétés de saison.",
        "Total de la saison 210,00 €",
        "3 chèque 1er février 2027 70,00 € Total 210,00 €",
        "Venir chercher son panier.",
        "Cultiver, livrer, expliquer.",
        "Se parler.",
        "Les aléas sont partagés.",
        "Un panier non retiré est donné.",
        "Le contrat peut être repris par un autre foyer.",
        "acomptes à valoir sur le prix, et non des arrhes",
        "s’adressent à : Le collectif",
        "Fait à Belombre-sur-Aulne, le 21 novembre 2026 à 10 h 00, en 3 exemplaires : amapien·ne, ferme, association.",
        "Mina Membre, signature électronique",
        signed.document.content_sha256,
    ):
        assert passage in text, passage


def test_the_contract_names_who_accepted_the_offer_for_each_side_br_8(amap):
    offer = amap.offer(status="open", start=date(2026, 12, 3))
    content = {"place": documents.place_of(offer)}
    accepted = {"version": offer.version, "at": datetime(2026, 10, 12, 19, 5, tzinfo=PARIS), "content": content}
    OfferAcceptance.objects.create(offer=offer, side="farm", by=amap.farmer, **accepted)
    OfferAcceptance.objects.create(offer=offer, side="committee", by=amap.committee, **accepted)
    signed = sign(amap, offer, [(offer.sizes.first().pk, 1, "every")], 21000)
    text = words(tasks.fill_document(signed.document.pk))
    for side, who in (("la ferme", amap.farmer), ("l'association, témoin", amap.committee)):
        assert f"Pour {side} : offre acceptée par {who.name}, en ligne, le 12 octobre 2026 à 19 h 05" in text


def test_the_payment_table_ends_with_the_total_br_16(amap):
    offer = amap.offer(status="open", deliveries=4, start=date(2026, 12, 3))
    offer.sizes.update(price_cents=2501)
    signed = sign(amap, offer, [(offer.sizes.first().pk, 1, "every")], 10004, instalment_count=1)
    content = signed.document.content
    assert sum(one["cents"] for one in content["instalments"]) == content["total_cents"] == signed.total_cents
    assert sum(one["cents"] for one in content["deliveries"]) == signed.total_cents


def test_the_file_is_made_once_and_never_again_br_22(amap, signed):
    first = tasks.fill_document(signed.document.pk)
    document = ContractDocument.objects.get()
    assert document.pdf_sha256 == sha256(first).hexdigest()
    amap.association.name = "Un autre nom"
    amap.association.save()
    signed.offer.farm.address = "Ailleurs"
    signed.offer.farm.save()
    assert tasks.fill_document(document.pk) == first
    assert "Un autre nom" not in words(first)


def test_two_who_make_it_at_once_answer_the_same_file_br_22(signed, monkeypatch):
    """The other worker stores its file while this one is still drawing."""
    number = signed.document.pk

    def meanwhile(*args, **kwargs):
        ContractDocument.objects.filter(pk=number).update(pdf=b"theirs", pdf_sha256="x")
        return b"ours"

    monkeypatch.setattr(pdf, "render", meanwhile)
    assert tasks.fill_document(number) == b"theirs"


def test_the_fingerprint_is_that_of_the_frozen_content_br_22(signed):
    document = ContractDocument.objects.get()
    assert document.content_sha256 == documents.fingerprint(document.content)
    assert documents.fingerprint(document.content | {"total_cents": 1}) != document.content_sha256


def test_the_worker_makes_what_nobody_has_asked_for_yet(signed):
    tasks.ask_for_documents(NOW)
    tasks.ask_for_documents(NOW)
    job = Job.objects.get(kind="contracts.tasks.fill_document")
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.error) == ("done", "")
    assert ContractDocument.objects.get().pdf
    tasks.ask_for_documents(NOW)
    assert Job.objects.filter(kind="contracts.tasks.fill_document").count() == 1


def test_members_read_their_contract_without_waiting_for_the_worker(amap, signed):
    client = Client()
    client.force_login(amap.member)
    address = reverse("contracts:document", args=["belombre", signed.pk])
    answer = client.get(address)
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'inline; filename="contrat-leg1-h006.pdf"'
    assert client.get(address).content == answer.content == bytes(ContractDocument.objects.get().pdf)


def test_the_contract_keeps_the_place_and_hours_both_sides_accepted_br_8(amap):
    offer = amap.offer(status="proposed", start=date(2026, 12, 3), deliveries=14)
    offers.accept(offer, side="farm", by=amap.farmer, now=NOW)
    offers.accept(offer, side="committee", by=amap.committee, now=NOW)
    offers.open(offer, by=amap.committee, now=NOW)
    settings.edit_place(amap.place, address="Ailleurs", opens_at=time(17), by=amap.committee, now=NOW)
    signed = sign(amap, offer, [(offer.sizes.first().pk, 1, "every")], 29400)
    assert signed.document.content["place"] == {
        "name": "Préau de l'école",
        "address": "3 rue des Écoles, Belombre-sur-Aulne",
        "weekday": 3,
        "opens_at": "18:30",
        "closes_at": "19:45",
    }


def test_the_foot_of_the_contract_says_when_it_was_signed_not_when_it_was_printed_d1(amap, signed):
    text = words(tasks.fill_document(signed.document.pk))
    assert "Établi le 21 novembre 2026 à 10 h 00 – 1 / " in text
    assert "Imprimé" not in text


def test_a_blank_contract_to_fill_in_by_hand_d1(amap):
    offer = amap.offer(status="open", start=date(2026, 12, 3))
    client = Client()
    client.force_login(amap.liaison)
    text = words(client.get(reverse("contracts:blank", args=["belombre", offer.pk])).content)
    assert "Nom et prénom : ……" in text
    assert "Imprimé le 21 novembre 2026 10:00 – 1 / " in text
    assert "Part entière 21,00 € 210,00 € ……" in text
    assert "aucun règlement, chèque compris, avant l’expiration d’un délai de sept jours" in text


def test_quantities_by_date_and_the_withdrawal_notice_of_what_keeps_br_43_br_81(amap):
    offer = amap.offer(kind="by_date", status="open", deliveries=4, start=date(2026, 12, 3), perishable=False)
    flour, oil = offer.products.values_list("pk", flat=True)
    choices = [(1, flour, 2), (1, oil, 1), (3, flour, 1)]
    signed = sign(amap, offer, choices, 1490, instalment_count=1, method="transfer")
    text = words(tasks.fill_document(signed.document.pk))
    assert "Farine de blé (1 kg) 3 2,80 € 2 8,40 €" in text
    assert "jeu 3 déc" in text
    assert "2 × Farine de blé (1 kg), 1 × Huile (50 cl)" in text
    assert "Formulaire de rétractation" in text
    assert f"AMAP-{offer.code}-H006-01" in text.replace(" ", "")


def test_paper_fetches_nothing_whatever_was_typed_t6(amap):
    """Addresses and marks typed into an offer stay text: no file is read, no machine is called (R19)."""
    typed = (
        "<img src='http://192.0.2.1/x.png'><link rel=stylesheet href='file:///etc/passwd'>@import url(http://192.0.2.1)"
    )
    offer = amap.offer(status="open", start=date(2026, 12, 3), composition=typed, member_commitments=typed)
    signed = sign(amap, offer, [(offer.sizes.first().pk, 1, "every")], 21000)
    text = words(tasks.fill_document(signed.document.pk))
    assert "<img src='http://192.0.2.1/x.png'>" in text
    assert "root:" not in text
    with pytest.raises(ValueError, match="fetches nothing"):
        pdf._workshop()[3].fetch("file:///etc/passwd")


def test_without_the_system_libraries_the_page_says_what_to_install(amap, signed, monkeypatch):
    def missing():
        raise Refused("PDF files need some system libraries.")

    monkeypatch.setattr(pdf, "_workshop", missing)
    client = Client()
    client.force_login(amap.member)
    page = reverse("contracts:subscription", args=["belombre", signed.pk])
    address = reverse("contracts:document", args=["belombre", signed.pk])
    answer = client.get(address, headers={"Referer": f"http://testserver{page}"}, follow=True)
    assert "PDF files need some system libraries." in answer.content.decode()
    assert answer.redirect_chain == [(f"http://testserver{page}", 302)]
