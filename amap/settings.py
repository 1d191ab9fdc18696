"""One file of settings; what differs between installations comes from the environment (README, "Operate it")."""

from pathlib import Path

from django.utils.translation import gettext_lazy as _

from amap import environment as env

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("AMAP_DATA", str(BASE_DIR / "var")))
DATA_DIR.mkdir(parents=True, exist_ok=True)

DEBUG = env.flag("AMAP_DEBUG")
# The demo has one-click entry and a clock that pretends another day; its pages do not exist otherwise.
DEMO = env.flag("AMAP_DEMO")
# Days the application's clock stands away from the machine's (only the demo moves it).
CLOCK_FILE = DATA_DIR / "clock-offset"
CLOCK_OFFSET_DAYS = int(CLOCK_FILE.read_text()) if DEMO and CLOCK_FILE.exists() else 0

INSECURE_KEY = "not-a-secret-only-for-tests-and-the-demo"
SECRET_KEY = env.text("AMAP_SECRET_KEY", INSECURE_KEY)
SECRET_KEY_FALLBACKS = env.words("AMAP_SECRET_KEY_FALLBACKS")
SITE_URL = env.text("AMAP_SITE_URL", "http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = env.words("AMAP_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
HTTPS = SITE_URL.startswith("https://")

INSTALLED_APPS = [
    "amap",
    "contracts",
    "deliveries",
    "allauth",
    "allauth.account",
    "django_q",
    "django_htmx",
    "django.forms",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "amap.middleware.SecurityHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "amap.middleware.ReaderLanguage",
    "amap.middleware.SignInFirst",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "amap.middleware.Here",
    "amap.middleware.Refusals",
]

ROOT_URLCONF = "amap.urls"
WSGI_APPLICATION = "amap.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "amap.context.around",
            ],
            "builtins": ["amap.templatetags.amap", "django.templatetags.i18n", "django.templatetags.static"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

DATABASES = {"default": env.database(env.text("DATABASE_URL"), DATA_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    # Shared by all processes: allauth's rate limits are counted here.
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "amap_cache"},
    # django-q2 writes its statistics twice a second: they stay in memory.
    "q": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "q"},
}

AUTH_USER_MODEL = "amap.User"
AUTHENTICATION_BACKENDS = ["amap.accounts.StandingBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "amap.accounts.NotAnAssociationsName"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

ACCOUNT_ADAPTER = "amap.accounts.Adapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
# Sign-up is closed; naming a password here gives the sign-in form its second field.
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1"]
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 900  # seconds: some mail servers take their time
ACCOUNT_EMAIL_NOTIFICATIONS = True  # a changed address or password is told to whoever had the account
ACCOUNT_CHANGE_EMAIL = True  # one address a person; a new one replaces it once confirmed
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_RATE_LIMITS = {"login_failed": "10/15m/key,100/15m/ip"}  # per address tried, and per network
ACCOUNT_SESSION_REMEMBER = True
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("AMAP_PROXIES", 0)

SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
if HTTPS:
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ALLAUTH_TRUSTED_PROXY_COUNT else None
CSRF_TRUSTED_ORIGINS = [SITE_URL]
SECURE_REFERRER_POLICY = "same-origin"
# The policy below forbids frames; other names under our domain are not ours to decide for.
SILENCED_SYSTEM_CHECKS = ["security.W002", "security.W005", "security.W021"]
# Everything a page needs comes from ourselves; nothing runs or styles inline.
SECURE_CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
DATA_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 3000  # a grid of 23 products × 52 deliveries, with room

LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", _("French")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "amap" / "locale"]
FORMAT_MODULE_PATH = ["amap.formats"]
TIME_ZONE = "Europe/Paris"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# Without an SMTP server, e-mails are written into the data folder, where the operator (and the demo) can read them.
EMAIL_HOST = env.text("AMAP_SMTP_HOST")
EMAIL_PORT = env.number("AMAP_SMTP_PORT", 587)
EMAIL_HOST_USER = env.text("AMAP_SMTP_USER")
EMAIL_HOST_PASSWORD = env.text("AMAP_SMTP_PASSWORD")
EMAIL_USE_TLS = env.flag("AMAP_SMTP_TLS", True)
EMAIL_TIMEOUT = 20
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'filebased'}.EmailBackend"
EMAIL_FILE_PATH = DATA_DIR / "mail"
DEFAULT_FROM_EMAIL = env.text("AMAP_FROM_EMAIL", "AMAP <amap@localhost>")

# A task is only "run job N": our own Job row counts, backs off and gives up (amap/jobs.py).
Q_CLUSTER = {
    "name": "amap",
    "orm": "default",
    "workers": 1,
    "bulk": 1,
    "queue_limit": 1,
    "timeout": 300,
    "retry": 1200,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": 200,
    "poll": 1,
    "cache": "q",
    "label": "Jobs",
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    # The queue tells of every task and every minute; our own rows tell what matters.
    "loggers": {name: {"level": "WARNING"} for name in ("django-q", "weasyprint", "fontTools")},
}
