"""All configuration, from the environment only. Wrong values stop every process, which lists all of them.

The table of variables is docs/configuration.md; what values must fulfil is in smartpush.common.startup.rules.
"""

import secrets
import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

from smartpush.backoffice.theme import UNFOLD as UNFOLD
from smartpush.common.startup import rules
from smartpush.common.startup.environment import Environment
from smartpush.common.startup.refusal import start_permit

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment.load(BASE_DIR / ".env")
_int, _bool = env.integer, env.boolean

ENVIRONMENT = env.choice("SMARTPUSH_ENV", ("development", "test", "production"), default="production")
DEVELOPMENT = ENVIRONMENT != "production"
TESTING = "pytest" in sys.modules

# --- identity of this installation ---
# Without one only a command that repairs something goes on, and Django wants a key even so.
SECRET_KEY = env.required(
    "SECRET_KEY", "It signs staff sessions.", advice=rules.SIGNING_ADVICE
) or secrets.token_urlsafe(50)
env.required(
    "SMARTPUSH_ENCRYPTION_KEYS",
    "They encrypt secrets at rest: Fernet keys, newest first, separated by commas.",
    advice=rules.ENCRYPTION_ADVICE,
)
SMARTPUSH_ENCRYPTION_KEYS = env.items("SMARTPUSH_ENCRYPTION_KEYS")
SMARTPUSH_ID_KEY = env.required("SMARTPUSH_ID_KEY", "It keys public ids and report tokens.", advice=rules.ID_ADVICE)
# What these keys make is accepted too, and nothing is made with them: so keys are rotated (docs/operators/keys.md).
SMARTPUSH_ACCEPTED_ID_KEYS = env.items("SMARTPUSH_ACCEPTED_ID_KEYS")
if not DEVELOPMENT:
    env.required(
        "SMARTPUSH_PUBLIC_URL",
        "It is the https origin under which browsers reach this server.",
        advice="For example https://push.your-company.com",
    )
SMARTPUSH_PUBLIC_URL = env.origin("SMARTPUSH_PUBLIC_URL", default="http://127.0.0.1:8800" if DEVELOPMENT else "")
SMARTPUSH_LOCAL_PUSH = _bool("SMARTPUSH_LOCAL_PUSH", False)
# Exact origins (http or loopback) that development accepts as push endpoints and click hosts.
SMARTPUSH_DEV_ORIGINS = env.origins("SMARTPUSH_DEV_ORIGINS")
# A stored code without words: tests turn this on, so that none is forgotten; an installation shows it all the same.
SMARTPUSH_UNKNOWN_CODES_RAISE = False
SMARTPUSH_PUSH_HOSTS = tuple(host.lower() for host in env.items("SMARTPUSH_PUSH_HOSTS"))
SMARTPUSH_VAPID_SUBJECT = env.text("SMARTPUSH_VAPID_SUBJECT", "mailto:push@example.com" if DEVELOPMENT else "")
SMARTPUSH_METRICS_TOKEN = env.text("SMARTPUSH_METRICS_TOKEN")
SMARTPUSH_TRUSTED_PROXIES = _int("SMARTPUSH_TRUSTED_PROXIES", 0)
SMARTPUSH_LIMITS = {
    "sdk_per_address": _int("SMARTPUSH_LIMIT_SDK_PER_ADDRESS", 600),  # requests a minute
    "sdk_per_brand": _int("SMARTPUSH_LIMIT_SDK_PER_BRAND", 120_000),  # requests a minute
    "reports_per_address": _int("SMARTPUSH_LIMIT_REPORTS_PER_ADDRESS", 600),
    "server_per_key": _int("SMARTPUSH_LIMIT_SERVER_PER_KEY", 6000),
    "server_refused_per_address": _int("SMARTPUSH_LIMIT_SERVER_REFUSED_PER_ADDRESS", 120),
    "preferences_per_address": _int("SMARTPUSH_LIMIT_PREFERENCES_PER_ADDRESS", 60),
    "templates_per_staff": _int("SMARTPUSH_LIMIT_TEMPLATES_PER_STAFF", 60),  # previews and saves
}
SMARTPUSH_SEND_IN_FLIGHT = _int("SMARTPUSH_SEND_IN_FLIGHT", 256)
SMARTPUSH_CHUNK_SIZE = _int("SMARTPUSH_CHUNK_SIZE", 2000)
# How long a worker may be silent before another takes its chunk over; it says that it lives six times as often.
SMARTPUSH_LEASE_SECONDS = _int("SMARTPUSH_LEASE_SECONDS", 60)
# One file of an imported segment.
SMARTPUSH_IMPORT_LINES = _int("SMARTPUSH_IMPORT_LINES", 10_000_000)
SMARTPUSH_IMPORT_MEGABYTES = _int("SMARTPUSH_IMPORT_MEGABYTES", 512)
SMARTPUSH_URGENT_WORKERS = _int("SMARTPUSH_URGENT_WORKERS", 1)
SMARTPUSH_BULK_WORKERS = _int("SMARTPUSH_BULK_WORKERS", 2)
SMARTPUSH_DEMO_SITE_URL = env.origin("SMARTPUSH_DEMO_SITE_URL", "http://127.0.0.1:8820")
SMARTPUSH_LOCAL_PUSH_URL = env.origin("SMARTPUSH_LOCAL_PUSH_URL", "http://127.0.0.1:8810")

DEBUG = _bool("DEBUG", False)
_public = urlsplit(SMARTPUSH_PUBLIC_URL)
ALLOWED_HOSTS = env.items("SMARTPUSH_ALLOWED_HOSTS") or [_public.hostname or ""]
if DEVELOPMENT:
    ALLOWED_HOSTS = [*ALLOWED_HOSTS, "127.0.0.1", "localhost", "testserver"]

# --- applications ---
INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "smartpush.backoffice.apps.BackofficeAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.forms",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "corsheaders",
    "django_q",
    "import_export",
    "simple_history",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_structlog",
    "django_prometheus",
    "csp",
    "smartpush.common",
    "devices",
    "segments",
    "assets",
    "campaigns",
    "smartpush.api",
    "smartpush.backoffice",
    *(["smartpush.demo"] if DEVELOPMENT else []),
]
MIDDLEWARE = [
    "smartpush.common.calls.entry.EntryMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "smartpush.api.cors.SdkCorsMiddleware",
    "smartpush.common.observability.request_logs.RequestLogMiddleware",
    "smartpush.api.bodies.BodyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "smartpush.backoffice.middleware.BrandMiddleware",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
ROOT_URLCONF = "smartpush.urls"
ADMIN_IN_BRAND_URLCONF = "smartpush.backoffice.urls_in_brand"
WSGI_APPLICATION = "smartpush.wsgi.application"
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
            ],
            "builtins": ["smartpush.backoffice.templatetags.brand_forms"],
        },
    },
]

FORM_RENDERER = "django.forms.renderers.TemplatesSetting"  # widgets of ours have their templates under templates/

# --- data ---
DATABASE_URL = env.text("DATABASE_URL")
DATABASES = {"default": env.database("DATABASE_URL", embedded_name="SMARTPUSH_DATABASE_NAME")}
DATABASES["default"] |= {
    "CONN_MAX_AGE": 60,
    "CONN_HEALTH_CHECKS": True,
    "TEST": {"NAME": env.text("SMARTPUSH_TEST_DB", "test_smartpush")},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.redis("REDIS_URL")
CACHES = {
    "default": (
        {"BACKEND": "smartpush.common.redis_link.Cache", "LOCATION": REDIS_URL}
        if REDIS_URL
        # Django's 300 entries would lose the counts of rate limits as soon as so many visitors are here at once.
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 100_000}}
    )
}

# --- jobs: django-q2 notifies workers; what is to be done stands in our tables ---
_Q_COMMON = {
    "timeout": 240,
    "retry": 300,
    "queue_limit": 1,
    "bulk": 1,
    "max_attempts": 3,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": -1,
    "poll": 0.1,
    "recycle": 5000,
    "guard_cycle": 1,
    "label": "Jobs",
    "scheduler": False,
    **({"broker_class": "smartpush.common.redis_link.Broker"} if REDIS_URL else {"orm": "default"}),
}
Q_CLUSTER = {
    **_Q_COMMON,
    "name": "urgent",
    "workers": SMARTPUSH_URGENT_WORKERS,
    "ALT_CLUSTERS": {"bulk": {**_Q_COMMON, "workers": SMARTPUSH_BULK_WORKERS}},
}

# --- HTTP ---
_https = SMARTPUSH_PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [SMARTPUSH_PUBLIC_URL] if SMARTPUSH_PUBLIC_URL else []
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SMARTPUSH_TRUSTED_PROXIES else None
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin" if _https else None
X_FRAME_OPTIONS = "SAMEORIGIN"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
_CSP = {
    "default-src": [SELF],
    "script-src": [SELF],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:", "https:", *sorted(SMARTPUSH_DEV_ORIGINS)],
    "font-src": [SELF],
    "connect-src": [SELF],
    "frame-src": [SELF],
    "frame-ancestors": [SELF],
    "object-src": [NONE],
    "base-uri": [NONE],
    "form-action": [SELF],
}
CONTENT_SECURITY_POLICY = {"DIRECTIVES": _CSP}
# Unfold's Alpine evaluates expressions: relaxed for /admin/ only, by smartpush.backoffice.
ADMIN_CONTENT_SECURITY_POLICY = {**_CSP, "script-src": [SELF, UNSAFE_EVAL, UNSAFE_INLINE]}

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STATICFILES_DIRS = [BASE_DIR / "var" / "frontend" / "static"]  # what package.json bundles
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if TESTING or ENVIRONMENT == "test"
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
if DEVELOPMENT:
    WHITENOISE_USE_FINDERS = True

# --- people ---
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], ["ip_address"]]
AXES_CLIENT_IP_CALLABLE = "smartpush.common.calls.callers.axes_address"
# A try while locked out does not begin the time anew: it ends when the page says so.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_HANDLER = "smartpush.backoffice.access.lockout.LockoutHandler"
AXES_LOCKOUT_CALLABLE = "smartpush.backoffice.access.lockout.locked"
AXES_VERBOSE = False
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = "smartpush.backoffice.formats"

# --- API ---
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["smartpush.api.permissions.DenyAll"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "smartpush.common.calls.errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "smartpush API",
    "DESCRIPTION": (
        "Two surfaces. Pages and native apps call /api/v1/sdk/ with the brand's public key from one of its exact"
        " origins, or with an app key (docs/sdk.md). The brand's own servers call /api/v1/server/ with a secret API key"
        " (docs/server-api.md). Every error of both has one shape, with a code for programs:"
        ' {"error": {"code", "message", "fields"}}.'
    ),
    "TAGS": [
        {"name": "Users", "description": "End users, known by the brand's own ids."},
        {"name": "Events", "description": "What end users did."},
        {"name": "Campaigns", "description": "Letting end users into campaigns."},
        {"name": "Push", "description": "Transactional pushes."},
        {"name": "Deliveries", "description": "What became of pushes, whoever sent them."},
        {"name": "SDK", "description": "What pages and native apps call."},
    ],
    "VERSION": "1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "PushStatusEnum": "devices.models.Status.choices",
        "TargetDevicesEnum": "devices.models.TargetDevices.choices",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "smartpush.api.openapi.complete",
    ],
}

# --- logs: structured, endpoints, tokens and secrets redacted ---
LOG_LEVEL = env.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), default="INFO")
LOG_JSON = _bool("LOG_JSON", not DEVELOPMENT)
LOGGING_CONFIG = "smartpush.common.observability.logs.configure"
LOGGING = {"level": LOG_LEVEL, "json": LOG_JSON}

SILENCED_SYSTEM_CHECKS: list[str] = ["security.W008"]  # the proxy in front redirects to https

# --- last: whether a process may start with all this ---
UNREADABLE = tuple(env.problems)
start_permit(
    [*UNREADABLE, *rules.problems_of(SimpleNamespace(**globals()), source=env.source)],
    environment=ENVIRONMENT,
    stated=bool(env.text("SMARTPUSH_ENV")),
)
