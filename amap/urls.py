"""The whole site on one page: first what stands above associations, then everything of one association under its
name.
"""

from django.urls import include, path, register_converter

from amap.converters import AssociationConverter, IdConverter

register_converter(IdConverter, "id")
register_converter(AssociationConverter, "association")

urlpatterns = [
    path("accounts/", include("allauth.account.urls")),
    path("", include("amap.site_urls")),
    path("<association:association>/", include("amap.association_urls")),
    path("<association:association>/", include("contracts.urls")),
    path("<association:association>/", include("deliveries.urls")),
]
