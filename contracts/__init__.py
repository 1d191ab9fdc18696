"""What we promised: offers, subscriptions, payments. Imports `amap`'s ground, never `deliveries`."""
