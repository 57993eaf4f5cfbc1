"""Settings, each read once from the environment (or `.env`) and typed here.

`.env.example` lists every variable with its default and meaning.
"""

from __future__ import annotations

import secrets
from pathlib import Path

import environ
from django.urls import reverse_lazy

from webapp.secret_file import kept_secret

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

# --- where things lie --------------------------------------------------------------------------
DATA_DIR = Path(env.str("DATA_DIR", str(BASE_DIR / "data"))).expanduser().resolve()
RUN_DIR = DATA_DIR / "run"  # sockets, pids, the address of the Redis that `up` started
MEDIA_ROOT = DATA_DIR / "media"  # private: served only through views that check the owner
CHECKPOINT_DIR = DATA_DIR / "checkpoints"
ENROLMENT_DIR = DATA_DIR / "enrolment"  # photos that wait for enrolment; emptied as they are judged
STAGING_DIR = DATA_DIR / "staging"  # uploaded archives of photos; deleted with the job they are for
ENCODERS_DIR = DATA_DIR / "encoders"  # weights that were trained here
CACHE_DIR = DATA_DIR / "cache"  # downloaded weights
for folder in (
    DATA_DIR,
    RUN_DIR,
    MEDIA_ROOT,
    CHECKPOINT_DIR,
    ENROLMENT_DIR,
    STAGING_DIR,
    ENCODERS_DIR,
    CACHE_DIR,
):
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


# --- the server --------------------------------------------------------------------------------
HOST = env.str("HOST", "127.0.0.1")
PORT = env.int("PORT", 8000)
DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "") or kept_secret(
    DATA_DIR / "secret_key", lambda: secrets.token_urlsafe(50)
)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"]) + (
    [HOST] if HOST not in ("0.0.0.0", "::") else []  # noqa: S104 - compared, not bound
)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
BEHIND_TLS = env.bool("BEHIND_TLS", False)  # a proxy ends TLS: cookies are secure, HSTS is sent
if BEHIND_TLS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 31_536_000
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SAMESITE = "Lax"

ROOT_URLCONF = "webapp.urls"
ASGI_APPLICATION = "webapp.asgi.application"

INSTALLED_APPS = [
    "daphne" if env.bool("LIKENESS_TESTING_DAPHNE", False) else "channels",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "ninja",  # serves the API docs' scripts from here
    "webapp",
    "webapp.accounts",
    "facerec",
    "styletransfer",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "webapp.middleware.UserFacingErrorMiddleware",
]

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
                "webapp.context.house",
            ],
        },
    },
]

# django-csp 4. The admin (unfold) runs Alpine, which evaluates expressions, so it is excluded.
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ["/admin/", "/api/v1/docs"],
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "media-src": ["'self'", "blob:"],
        "style-src": ["'self'", "'unsafe-inline'"],  # custom properties set per element
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    },
}

# --- people ------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = reverse_lazy("accounts:sign_in")
LOGIN_REDIRECT_URL = reverse_lazy("home")
LOGOUT_REDIRECT_URL = reverse_lazy("home")
SIGN_UP_OPEN = env.bool("SIGN_UP_OPEN", False)  # visitors may make themselves a painter's account
PASSWORD_RESET_TIMEOUT = 24 * 3600  # also the life of the one-time sign-in link
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# --- database ----------------------------------------------------------------------------------
DATABASES = {
    "default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'likeness.sqlite3'}")
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # secure_delete: what is deleted (an encoding) is overwritten, not just unlinked.
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;"
        ),
    }
    # The live-server tests need a file: threads cannot share an in-memory database.
    DATABASES["default"]["TEST"] = {"NAME": DATA_DIR / "test.sqlite3"}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


# --- Redis: broker, channel layer, frames, leases; nothing in it matters after a restart --------
def _redis_url() -> str:
    """REDIS_URL, else the address that `manage.py up` wrote down for the server it started."""
    if url := env.str("REDIS_URL", ""):
        return str(url)
    try:
        return (RUN_DIR / "redis.url").read_text().strip()
    except FileNotFoundError:
        return ""


REDIS_URL = _redis_url()
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # redis-py 8 closes idle sockets by default; a waiting consumer is idle by nature.
        "CONFIG": {
            "hosts": [{"address": REDIS_URL, "socket_timeout": None, "max_connections": 1000}]
        },
    },
}
CELERY_BROKER_URL = REDIS_URL
CELERY_IMPORTS = ["webapp.jobs.worker", "webapp.heartbeat"]  # what workers do beside tasks
CELERY_TASK_IGNORE_RESULT = True  # outcomes live in the database
# Messages are hints: acknowledged when taken, and sent again by the reaper from the database
# (docs/decisions.md, "Early acknowledgement"). A busy worker takes none in advance, unless its
# tasks take milliseconds: it looks for the next message once a second only.
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_DISABLE_PREFETCH = not env.bool("WORKER_TAKES_AHEAD", False)
CELERY_WORKER_PREFETCH_MULTIPLIER = 1 if CELERY_WORKER_DISABLE_PREFETCH else 16
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 24 * 3600, "socket_timeout": None}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_ROUTES = {
    "facerec.tasks.*": {"queue": "faces"},
    "styletransfer.tasks.*": {"queue": "style"},
}

# --- uploads -----------------------------------------------------------------------------------
MAX_UPLOAD_MB = env.int("MAX_UPLOAD_MB", 15)  # one picture
MAX_MEDIUM_MB = env.int("MAX_MEDIUM_MB", 48)  # one sound, signal, volume or clip
MAX_UPLOAD_MEGAPIXELS = env.int("MAX_UPLOAD_MEGAPIXELS", 50)
MAX_UPLOAD_FILES = env.int("MAX_UPLOAD_FILES", 10)
# A request's body stays in memory whole: Django would spool a larger one to a disk, where no
# byte of a probe's photo may lie. `webapp.uploads.BodyLimit` refuses what is larger.
MAX_BODY_BYTES = env.int("MAX_BODY_MB", 64) * 1024**2
FILE_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES + 1
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
DATA_UPLOAD_MAX_NUMBER_FILES = MAX_UPLOAD_FILES
# The one exception: an archive of photos goes to STAGING_DIR, past Django (`webapp.staging`).
ARCHIVE_MAX_MB = env.int("ARCHIVE_MAX_MB", 1024)
FILE_UPLOAD_HANDLERS = ["webapp.uploads.MemoryOnlyUploadHandler"]

# --- static files ------------------------------------------------------------------------------
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 0  # unhashed names, so that ES modules import each other: revalidated by ETag

# --- inference (read by the runtimes in the workers) -------------------------------------------
DEVICE = env.str("DEVICE", "auto")  # auto | cpu | cuda | cuda:1 | mps
TORCH_THREADS = env.int("TORCH_THREADS", 0)  # 0: chosen from the machine
VGG19_WEIGHTS = env.str("VGG19_WEIGHTS", "")  # a file; empty: downloaded once when first asked for
# Seals the aligned faces that are kept where an administrator chose so: 32 bytes in base64; empty:
# made once, when first needed.
CROPS_KEY = env.str("CROPS_KEY", "")
FACE_ENCODER_WEIGHTS = env.str("FACE_ENCODER_WEIGHTS", "")  # a file; empty: the packaged one
LIVENESS_NETWORK = env.str("LIVENESS_NETWORK", "")  # a file of MiniFASNetV2's weights; empty: none
LIVENESS_NETWORK_SHA256 = env.str("LIVENESS_NETWORK_SHA256", "")  # what it must hash to
VERIFICATION_FMR = env.float("VERIFICATION_FMR", 1e-3)
IDENTIFICATION_FPIR = env.float("IDENTIFICATION_FPIR", 1e-2)
GALLERY_SEARCH = env.str("GALLERY_SEARCH", "memory")  # memory | pgvector | pgvector-hnsw

# --- limits on use (the `limits` library's notation), per user or per address when signed out ----
RATE_LIMITS = {
    "sign-in": env.str("RATE_SIGN_IN", "10/minute"),
    "face": env.str("RATE_FACE", "120/minute"),
    "liveness": env.str("RATE_LIVENESS", "30/minute"),
    "enrol": env.str("RATE_ENROL", "120/minute"),
    "paint": env.str("RATE_PAINT", "30/minute"),
    "archive": env.str("RATE_ARCHIVE", "30/hour"),
    "mine": env.str("RATE_MINE", "20/hour"),
    "look": env.str("RATE_LOOK", "240/minute"),
}
STYLE_JOBS_PER_USER = env.int("STYLE_JOBS_PER_USER", 20)  # waiting or running at once
MININGS_PER_USER = env.int("MININGS_PER_USER", 3)  # likewise

# --- language, time, log -----------------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", "UTC")
LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
LOGGING_CONFIG = "webapp.log.configure"
LOGGING = {"level": LOG_LEVEL, "json": env.bool("LOG_JSON", False)}


def _shades(lightness: str, chroma: str, hue: int) -> dict[str, str]:
    """The eleven shades that unfold's colours have, in oklch."""
    names = (50, 100, 200, 300, 400, 500, 600, 700, 800, 900, 950)
    tones = zip(names, lightness.split(), chroma.split(), strict=True)
    return {str(name): f"oklch({light}% {c} {hue})" for name, light, c in tones}


UNFOLD = {
    "SITE_TITLE": "Likeness",
    "SITE_HEADER": "Likeness",
    "SITE_SUBHEADER": "People, pictures, keys",
    "SITE_URL": "/",
    "SHOW_VIEW_ON_SITE": False,
    "SITE_ICON": lambda request: "/static/img/favicon.svg",
    "BORDER_RADIUS": "6px",
    "COLORS": {  # paper and ink, and vermilion for what acts: as in static/css/tokens.css
        "base": _shades(
            "97.9 95.8 91.5 86 70 55 45 37 27 21.5 16.5",
            ".006 .008 .011 .013 .013 .012 .011 .01 .009 .006 .005",
            84,
        ),
        "primary": _shades(
            "97 94 88 80 72 60 49.5 44 38 33 26",
            ".013 .03 .06 .1 .14 .17 .165 .15 .125 .1 .08",
            34,
        ),
    },
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: "/static/img/favicon.svg",
        }
    ],
    "STYLES": [lambda request: "/static/css/admin.css"],
}
