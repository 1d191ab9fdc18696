"""Who we are: people, households, farms, the association and its places, and who does what in it."""

import unicodedata

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from amap.names import Alphabetical, contains

# A household has no more people than this, whatever an association sets (BR-1).
MOST_PEOPLE = 6

# First segments of the site's own addresses: an association cannot take them as its name there.
RESERVED_SLUGS = frozenset(
    [
        *("accounts", "calendar", "demo", "farms", "feeds", "health", "help", "i18n", "invitations", "language"),
        *("media", "profile", "start", "static", "unsent", "webhooks", "favicon.ico"),
    ]
)


def normalise_email(email):
    """One spelling per address, so that uniqueness means something (BR-1): NFKC, lower case, no spaces around."""
    return unicodedata.normalize("NFKC", email or "").strip().casefold()


def refuse_reserved(slug):
    if slug in RESERVED_SLUGS:
        raise ValidationError(_("This address is used by the site itself. Choose another."))


class Language(models.TextChoices):
    FRENCH = "fr", "Français"
    ENGLISH = "en", "English"


class UserQuerySet(models.QuerySet):
    def known_to(self, association):
        """Persons of its households, farmers of its farms, holders of its roles; `association`: a row or an id."""
        return self.filter(
            Q(memberships_of_households__association=association)
            | Q(farming__farm__partnerships__association=association)
            | Q(seats__association=association)
        ).distinct()


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):
    def create_user(self, email, password=None, **fields):
        """An account; without a password the person signs in by a code sent by e-mail.

        The address is noted with allauth as not yet proved: the first code, or an invitation, proves it.
        """
        from allauth.account.models import EmailAddress

        user = self.model(email=normalise_email(email), **fields)
        user.set_password(password)
        user.save()
        EmailAddress.objects.create(user=user, email=user.email, primary=True)
        return user

    def get_by_natural_key(self, email):
        return self.get(email=normalise_email(email))


class User(AbstractBaseUser):
    """An account: one person signing in by e-mail, whatever the associations and farms they act for."""

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=100)
    language = models.CharField(_("language"), max_length=2, choices=Language, default=Language.FRENCH)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(auto_now_add=True)
    # The private calendar address: only the hash is kept, a new one replaces it (T4).
    feed_key_sha256 = models.CharField(max_length=64, blank=True, db_index=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    def __str__(self):
        return self.name or self.email

    def clean(self):
        self.email = normalise_email(self.email)


class Association(models.Model):
    """One AMAP. Everything under its slug belongs to it alone (BR-76). Knobs are columns, defaults those of domain.md
    §7.
    """

    slug = models.SlugField(_("address on this site"), max_length=50, unique=True, validators=[refuse_reserved])
    name = models.CharField(_("name"), max_length=100)
    address = models.CharField(_("address"), max_length=200, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=10, blank=True)
    city = models.CharField(_("town"), max_length=100, blank=True)
    email = models.EmailField(_("contact e-mail"), blank=True)
    phone = models.CharField(_("telephone"), max_length=20, blank=True)
    mediation_contact = models.CharField(_("consumer mediation contact"), max_length=200, blank=True)
    is_demo = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    people_per_household_max = models.PositiveSmallIntegerField(_("people per household, at most"), default=4)
    price_step_cents = models.PositiveSmallIntegerField(_("prices are rounded to (cents)"), default=5)
    min_commitment_weeks = models.PositiveSmallIntegerField(_("shortest commitment (weeks)"), default=13)
    lock_hours_before = models.PositiveSmallIntegerField(_("the sheet locks (hours before)"), default=18)
    harvest_days_before = models.PositiveSmallIntegerField(_("harvest list due (days before)"), default=1)
    harvest_hour = models.TimeField(_("harvest list due at"), default="12:00")
    weight_step_g = models.PositiveSmallIntegerField(_("weights are rounded down to (grams)"), default=50)
    drop_days = models.PositiveSmallIntegerField(_("a shift may be left until (days before)"), default=8)
    urgent_hours = models.PositiveSmallIntegerField(_("urgent call for volunteers (hours before)"), default=48)
    grace_days = models.PositiveSmallIntegerField(_("a payment is late after (days)"), default=7)
    treasurer_confirms_farm_payments = models.BooleanField(
        _("the treasurer may confirm what reached a farm's account"), default=False
    )

    class UncollectedFate(models.TextChoices):
        CHARITY = "charity", _("given to a charity")
        VOLUNTEERS = "volunteers", _("shared by the volunteers")

    uncollected_fate = models.CharField(
        _("uncollected baskets are"), max_length=12, choices=UncollectedFate, default=UncollectedFate.CHARITY
    )

    class Meta:
        ordering = [Alphabetical("name")]

    def __str__(self):
        return self.name

    @property
    def association_id(self):
        """An association belongs to itself: the history files what is done to it beside the rest."""
        return self.pk


class PickupPlace(models.Model):
    """Where and when baskets are handed out. Hours are local."""

    class Weekday(models.IntegerChoices):
        MONDAY = 0, _("Monday")
        TUESDAY = 1, _("Tuesday")
        WEDNESDAY = 2, _("Wednesday")
        THURSDAY = 3, _("Thursday")
        FRIDAY = 4, _("Friday")
        SATURDAY = 5, _("Saturday")
        SUNDAY = 6, _("Sunday")

    association = models.ForeignKey(Association, models.CASCADE, related_name="places")
    name = models.CharField(_("name"), max_length=100)
    address = models.CharField(_("address"), max_length=200, blank=True)
    weekday = models.PositiveSmallIntegerField(_("day"), choices=Weekday, default=Weekday.THURSDAY)
    opens_at = models.TimeField(_("from"), default="18:30")
    closes_at = models.TimeField(_("to"), default="19:45")
    volunteers_from = models.TimeField(_("volunteers from"), default="18:00")
    volunteers_until = models.TimeField(_("volunteers until"), default="20:00")
    instructions = models.TextField(_("how to get in, keys, what to do at the end"), blank=True)

    class Meta:
        ordering = [Alphabetical("name")]
        constraints = [
            models.UniqueConstraint(fields=["association", "name"], name="place_name_once"),
            models.CheckConstraint(
                condition=Q(opens_at__lt=F("closes_at")),
                name="place_closes_after_opening",
                violation_error_message=_("The distribution must end after it begins."),
            ),
        ]

    def __str__(self):
        return self.name


class HouseholdQuerySet(models.QuerySet):
    def present(self, today):
        """Households that have not left."""
        return self.filter(Q(left_on=None) | Q(left_on__gt=today))

    def called(self, words):
        """Those whose name, or the name of somebody in them, contains the words."""
        persons = Member.objects.filter(contains("name", words), household=OuterRef("pk"))
        return self.filter(Q(contains("name", words)) | Exists(persons))

    def visible_to(self, standing):
        """The committee, its officers and the farms' liaisons see all, a member their own."""
        if standing.runs_association or standing.liaison_farm_ids:
            return self
        return self.filter(pk=standing.household_id)

    def manageable_by(self, standing):
        """The committee and the secretary write on every household's page, a member on their own."""
        if standing.seats & {"committee", "secretary"}:
            return self
        return self.filter(pk=standing.household_id)


class Household(models.Model):
    """The unit of membership, vote and duty (BR-1)."""

    association = models.ForeignKey(Association, models.CASCADE, related_name="households")
    number = models.PositiveIntegerField(_("number"))
    name = models.CharField(_("name of the household"), max_length=100)
    address = models.CharField(_("address"), max_length=200, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=10, blank=True)
    city = models.CharField(_("town"), max_length=100, blank=True)
    joined_on = models.DateField(_("joined on"))
    left_on = models.DateField(_("left on"), null=True, blank=True)

    objects = HouseholdQuerySet.as_manager()

    class Meta:
        ordering = [Alphabetical("name"), "number"]
        constraints = [models.UniqueConstraint(fields=["association", "number"], name="household_number_once")]

    def __str__(self):
        return self.name

    @property
    def code(self):
        """`H-017`: how lists and payment references name the household."""
        return f"H-{self.number:03d}"

    def has_left(self, today):
        return self.left_on is not None and self.left_on <= today


class MemberQuerySet(models.QuerySet):
    def manageable_by(self, standing):
        """The committee and the secretary: everybody; a member: themselves, and those at home without an account."""
        if standing.seats & {"committee", "secretary"}:
            return self
        return self.filter(Q(user=None) | Q(user=standing.user_id), household=standing.household_id)


class Member(models.Model):
    """One person of a household, with an account or on paper only. What is written here belongs to this association
    alone.
    """

    association = models.ForeignKey(Association, models.CASCADE, related_name="members")
    household = models.ForeignKey(Household, models.CASCADE, related_name="members")
    user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="memberships_of_households")
    name = models.CharField(_("name"), max_length=100)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("telephone"), max_length=20, blank=True)
    language = models.CharField(_("language"), max_length=2, choices=Language, default=Language.FRENCH)
    shows_phone = models.BooleanField(_("my telephone may stand on the sign-in sheet"), default=False)
    position = models.PositiveSmallIntegerField(default=0)

    objects = MemberQuerySet.as_manager()

    class Meta:
        ordering = ["household_id", "position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["association", "email"],
                condition=~Q(email=""),
                name="member_email_once",
                violation_error_message=_("This e-mail already belongs to somebody in this association."),
            ),
            models.UniqueConstraint(fields=["association", "user"], name="member_of_one_household"),
        ]

    def __str__(self):
        return self.name

    def clean(self):
        self.email = normalise_email(self.email)


class Farm(models.Model):
    """A farm: the legal entity that signs contracts and is paid. It stands above associations."""

    class Kind(models.TextChoices):
        VEGETABLES = "vegetables", _("vegetables")
        BREAD = "bread", _("bread")
        EGGS = "eggs", _("eggs")
        CHEESE = "cheese", _("cheese")
        FRUIT = "fruit", _("fruit")
        MEAT = "meat", _("meat and poultry")
        OTHER = "other", _("other")

    class Vat(models.TextChoices):
        LIABLE = "liable", _("liable to VAT (5.5 %)")
        EXEMPT = "exempt", _("not liable to VAT")

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=100)
    legal_name = models.CharField(_("legal name"), max_length=120, blank=True)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.VEGETABLES)
    siret = models.CharField(_("SIRET"), max_length=14, blank=True)
    contact_name = models.CharField(_("farmers' names"), max_length=120, blank=True)
    address = models.CharField(_("address"), max_length=200, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=10, blank=True)
    city = models.CharField(_("town"), max_length=100, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("telephone"), max_length=20, blank=True)
    payee = models.CharField(_("cheques payable to"), max_length=70, blank=True)
    iban = models.CharField(_("IBAN"), max_length=34, blank=True)
    bic = models.CharField(_("BIC"), max_length=11, blank=True)
    certification = models.CharField(_("label and certifying body"), max_length=120, blank=True)
    vat_status = models.CharField(_("VAT"), max_length=8, choices=Vat, default=Vat.LIABLE)
    practices = models.TextField(_("practices and land"), blank=True)

    class Meta:
        ordering = [Alphabetical("name")]

    def __str__(self):
        return self.name

    @property
    def payee_name(self):
        """To whom cheques and transfers are made out."""
        return self.payee or self.legal_name or self.name


class Farmer(models.Model):
    """An account that acts for a farm."""

    farm = models.ForeignKey(Farm, models.CASCADE, related_name="farmers")
    user = models.ForeignKey(User, models.CASCADE, related_name="farming")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["farm", "user"], name="farmer_once")]

    def __str__(self):
        return f"{self.user} – {self.farm}"


class Partnership(models.Model):
    """A farm and an association working together (BR-6: the farm is a member by right, without a fee)."""

    association = models.ForeignKey(Association, models.CASCADE, related_name="partnerships")
    farm = models.ForeignKey(Farm, models.PROTECT, related_name="partnerships")
    since = models.DateField(_("since"))
    ended_on = models.DateField(_("ended on"), null=True, blank=True)
    distance_km = models.PositiveSmallIntegerField(_("distance (km)"), null=True, blank=True)

    class Meta:
        ordering = [Alphabetical("farm__name")]
        constraints = [models.UniqueConstraint(fields=["association", "farm"], name="partnership_once")]

    def __str__(self):
        return f"{self.farm} – {self.association}"


class MandateQuerySet(models.QuerySet):
    def current(self, today):
        return self.not_over(today).filter(starts_on__lte=today)

    def not_over(self, today):
        """Those that run, or are to begin."""
        return self.filter(Q(ends_on=None) | Q(ends_on__gte=today))


class CommitteeSeat(models.Model):
    """A role held by a person for a time (BR-5)."""

    class Role(models.TextChoices):
        COMMITTEE = "committee", _("committee")
        TREASURER = "treasurer", _("treasurer")
        SECRETARY = "secretary", _("secretary")
        DISTRIBUTION_LEAD = "distribution_lead", _("distribution lead")
        SOLIDARITY = "solidarity", _("solidarity")

    association = models.ForeignKey(Association, models.CASCADE, related_name="seats")
    user = models.ForeignKey(User, models.CASCADE, related_name="seats")
    role = models.CharField(_("role"), max_length=20, choices=Role)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"), null=True, blank=True)

    objects = MandateQuerySet.as_manager()

    class Meta:
        ordering = ["role", "starts_on"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="seat_ends_after_it_starts",
                violation_error_message=_("The end precedes the start."),
            )
        ]

    def __str__(self):
        return f"{self.user}: {self.get_role_display()}"


class LiaisonQuerySet(MandateQuerySet):
    def of(self, association, farm, today):
        """Today's liaisons of a farm in an association; rows or ids."""
        return self.current(today).filter(partnership__association=association, partnership__farm=farm)


class FarmLiaison(models.Model):
    """The link between a farm and the members: collects cheques, keeps the list, goes and sees (BR-5)."""

    partnership = models.ForeignKey(Partnership, models.CASCADE, related_name="liaisons")
    user = models.ForeignKey(User, models.CASCADE, related_name="liaisons")
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"), null=True, blank=True)

    objects = LiaisonQuerySet.as_manager()

    class Meta:
        ordering = ["starts_on"]

    def __str__(self):
        return f"{self.user} – {self.partnership.farm}"


class InvitationQuerySet(models.QuerySet):
    def open(self, now):
        """Those that may still be accepted."""
        return self.filter(accepted_at=None, revoked_at=None, expires_at__gt=now)

    def manageable_by(self, standing):
        """Who sends again or takes back: committee and secretary all, others those of their household and farms."""
        if standing.seats & {"committee", "secretary"}:
            return self
        own = Q(farm__in=standing.farm_ids)
        if standing.household_id:  # without one, no member's household would be it
            own |= Q(member__household=standing.household_id)
        return self.filter(own)


class Invitation(models.Model):
    """A single-use link, sent by e-mail, that gives one address its account and one thing to be (T5): a person of a
    household, a farmer of a farm, a holder of a role, or the farm that `farm_name` hopes to welcome.

    Of the token only the hash is kept.
    """

    association = models.ForeignKey(Association, models.CASCADE, related_name="invitations")
    email = models.EmailField(_("e-mail"))
    member = models.ForeignKey(Member, models.CASCADE, null=True, blank=True, related_name="invitations")
    farm = models.ForeignKey(Farm, models.CASCADE, null=True, blank=True, related_name="invitations")
    role = models.CharField(_("role"), max_length=20, choices=CommitteeSeat.Role, blank=True)
    farm_name = models.CharField(_("name of the farm"), max_length=100, blank=True)
    token_sha256 = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(member__isnull=False, farm=None, role="", farm_name="")
                | Q(member=None, farm__isnull=False, role="", farm_name="")
                | (Q(member=None, farm=None, farm_name="") & ~Q(role=""))
                | (Q(member=None, farm=None, role="") & ~Q(farm_name="")),
                name="invitation_to_one_thing",
            )
        ]

    def __str__(self):
        return self.email
