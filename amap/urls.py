"""The whole site on one page: first what stands above associations, then everything of one association under its
name.
"""

from django.urls import include, path, register_converter

from amap.converters import IdConverter

register_converter(IdConverter, "id")

urlpatterns = [
    path("accounts/", include("allauth.account.urls")),
    path("", include("amap.site_urls")),
    path("<slug:association>/", include("amap.association_urls")),
    path("<slug:association>/", include("contracts.urls")),
    path("<slug:association>/", include("deliveries.urls")),
]
