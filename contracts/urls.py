"""Pages of an association about what was promised. Route names are `contracts:…`."""

from django.urls import path

from contracts.views import sign, subscriptions

app_name = "contracts"
urlpatterns = [
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
