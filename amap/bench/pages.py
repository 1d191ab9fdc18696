"""The pages that are measured: who asks, and for what."""

from django.urls import reverse

from amap.bench.fill import next_evening

PAGES = [
    ("member", "amap:home"),
    ("member", "contracts:offers"),
    ("member", "contracts:my_contracts"),
    ("member", "contracts:my_payments"),
    ("member", "deliveries:roster"),
    ("committee", "amap:home"),
    ("committee", "amap:committee"),
    ("committee", "amap:households"),
    ("committee", "contracts:subscriptions"),
    ("committee", "contracts:accounts"),
    ("treasurer", "amap:memberships"),
    ("treasurer", "contracts:payments"),
    ("lead", "deliveries:distributions"),
    ("farmer", "contracts:farm_payments"),
]


def pages(association, today):
    """[(e-mail of who asks, route name, address)] for one association of `amap.bench.fill`."""
    slug = association.slug
    evening = next_evening(association, today).pk
    rows = [(who, route, reverse(route, args=[slug])) for who, route in PAGES]
    rows += [
        ("lead", "deliveries:sheet", reverse("deliveries:sheet", args=[slug, evening])),
        ("farmer", "deliveries:quantities", reverse("deliveries:quantities", args=[slug, evening])),
        ("farmer", "site:farm_desk", reverse("site:farm_desk", args=[f"ferme-0-{slug}"])),
    ]
    return [(f"{who}@{slug}.example.org", route, url) for who, route, url in rows]
