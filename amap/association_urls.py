"""Pages of an association about who we are. Route names are `amap:…`."""

from django.urls import path

from amap import desks
from amap.views import farms, history, membership, people, settings

app_name = "amap"
urlpatterns = [
    path("", desks.home, name="home"),
    path("household/", people.my_household, name="my_household"),
    path("households/", people.households, name="households"),
    path("households/new/", people.household_new, name="household_new"),
    path("households/invite/", people.invite_all, name="invite_all"),
    path("households/<id:pk>/", people.household, name="household"),
    path("households/<id:pk>/edit/", people.household_edit, name="household_edit"),
    path("households/<id:pk>/leave/", people.household_leave, name="household_leave"),
    path("households/<id:pk>/return/", people.household_return, name="household_return"),
    path("households/<id:pk>/members/new/", people.member_new, name="member_new"),
    path("members/<id:pk>/edit/", people.member_edit, name="member_edit"),
    path("members/<id:pk>/remove/", people.member_remove, name="member_remove"),
    path("members/<id:pk>/invite/", people.member_invite, name="member_invite"),
    path("invitations/", people.invitations, name="invitations"),
    path("invitations/<id:pk>/resend/", people.invitation_resend, name="invitation_resend"),
    path("invitations/<id:pk>/revoke/", people.invitation_revoke, name="invitation_revoke"),
    path("seats/", people.seats, name="seats"),
    path("seats/new/", people.seat_new, name="seat_new"),
    path("seats/invite/", people.seat_invite, name="seat_invite"),
    path("seats/<id:pk>/end/", people.seat_end, name="seat_end"),
    path("farms/", farms.farms, name="farms"),
    path("farms/new/", farms.farm_new, name="farm_new"),
    path("farms/welcome/", farms.farm_welcome, name="farm_welcome"),
    path("farms/<slug:slug>/", farms.farm, name="farm"),
    path("farms/<slug:slug>/edit/", farms.farm_edit, name="farm_edit"),
    path("farms/<slug:slug>/partnership/", farms.partnership_edit, name="partnership_edit"),
    path("farms/<slug:slug>/end/", farms.partnership_end, name="partnership_end"),
    path("farms/<slug:slug>/resume/", farms.partnership_resume, name="partnership_resume"),
    path("farms/<slug:slug>/farmers/invite/", farms.farmer_invite, name="farmer_invite"),
    path("farms/<slug:slug>/farmers/<id:pk>/remove/", farms.farmer_remove, name="farmer_remove"),
    path("farms/<slug:slug>/liaisons/new/", farms.liaison_new, name="liaison_new"),
    path("farms/<slug:slug>/liaisons/<id:pk>/end/", farms.liaison_end, name="liaison_end"),
    path("memberships/", membership.memberships, name="memberships"),
    path("memberships/<id:pk>/correct/", membership.correct, name="membership_correct"),
    path("households/<id:household_pk>/membership/<id:pk>/", membership.membership, name="membership"),
    path("periods/new/", membership.period_new, name="period_new"),
    path("periods/<id:pk>/edit/", membership.period_edit, name="period_edit"),
    path("periods/<id:pk>/receive/", membership.receive, name="receive_fees"),
    path("settings/", settings.settings, name="settings"),
    path("settings/places/new/", settings.place_new, name="place_new"),
    path("settings/places/<id:pk>/", settings.place_edit, name="place_edit"),
    path("history/", history.history, name="history"),
]
