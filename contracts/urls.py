"""Pages of an association about what was promised. Route names are `contracts:…`."""

from django.urls import path

from contracts.views import offers, sign, subscriptions

app_name = "contracts"
urlpatterns = [
    path("offers/", offers.offers, name="offers"),
    path("offers/new/", offers.offer_new, name="offer_new"),
    path("offers/<id:pk>/", offers.offer, name="offer"),
    path("offers/<id:pk>/edit/", offers.offer_edit, name="offer_edit"),
    path("offers/<id:pk>/calendar/", offers.offer_calendar, name="offer_calendar"),
    path("offers/<id:pk>/dates/", offers.offer_dates, name="offer_dates"),
    path("offers/<id:pk>/budget/", offers.offer_budget, name="offer_budget"),
    path("offers/<id:pk>/shares/", offers.offer_shares, name="offer_shares"),
    path("offers/<id:pk>/payment/", offers.offer_payment, name="offer_payment"),
    path("offers/<id:pk>/terms/", offers.offer_terms, name="offer_terms"),
    path("offers/<id:pk>/propose/", offers.propose, name="propose"),
    path("offers/<id:pk>/accept/", offers.accept, name="accept"),
    path("offers/<id:pk>/withdraw/", offers.withdraw, name="withdraw"),
    path("offers/<id:pk>/open/", offers.open, name="open"),
    path("offers/<id:pk>/cancel/", offers.cancel, name="cancel"),
    path("offers/<id:pk>/price-note/", offers.price_note, name="price_note"),
    path("offers/<id:pk>/sign/", sign.sign, name="sign"),
    path("offers/<id:pk>/wait/", subscriptions.wait, name="wait"),
    path("offers/<id:pk>/blank-contract/", subscriptions.blank, name="blank"),
    path("waiting/<id:pk>/stop/", subscriptions.stop_waiting, name="stop_waiting"),
    path("my-contracts/", subscriptions.my_contracts, name="my_contracts"),
    path("subscriptions/", subscriptions.subscriptions_list, name="subscriptions"),
    path("subscriptions/<id:pk>/", subscriptions.subscription, name="subscription"),
    path("subscriptions/<id:pk>/contract.pdf", subscriptions.document, name="document"),
    path("subscriptions/<id:pk>/validate/", subscriptions.validate, name="validate"),
    path("subscriptions/<id:pk>/withdraw/", subscriptions.withdraw_subscription, name="withdraw_subscription"),
]
