"""Pages of an association about what happened. Route names are `deliveries:…`."""

app_name = "deliveries"
urlpatterns = []
