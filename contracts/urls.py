"""Pages of an association about what was promised. Route names are `contracts:…`."""

app_name = "contracts"
urlpatterns = []
