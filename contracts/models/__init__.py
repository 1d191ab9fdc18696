"""The table of contents of what was promised."""

from contracts.models.offers import (
    Closure,
    ContractOffer,
    Delivery,
    FarmBudget,
    FarmBudgetLine,
    OfferAcceptance,
    Product,
    ShareSize,
)
from contracts.models.payments import Cheque, DepositBatch, Instalment
from contracts.models.subscriptions import (
    ContractDocument,
    Signature,
    Subscription,
    SubscriptionLine,
    WaitingListEntry,
)

__all__ = [
    "Cheque",
    "Closure",
    "ContractDocument",
    "ContractOffer",
    "Delivery",
    "DepositBatch",
    "FarmBudget",
    "FarmBudgetLine",
    "Instalment",
    "OfferAcceptance",
    "Product",
    "ShareSize",
    "Signature",
    "Subscription",
    "SubscriptionLine",
    "WaitingListEntry",
]
