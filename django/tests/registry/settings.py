"""A registry like the old one, for tests and the end-to-end suite. Never for production.

    REGISTRY_DATABASE_URL   postgresql://user:password@host:port/name; without it, SQLite
    REGISTRY_SQLITE_PATH    the SQLite file
    REGISTRY_WEBHOOK_URL, REGISTRY_WEBHOOK_SECRETS (comma-separated), REGISTRY_WEBHOOK_SECRETS_FILE
    REGISTRY_DELIVERY       thread (default) or command
    REGISTRY_READ_TIMEOUT_SECONDS, REGISTRY_CLAIM_SECONDS, REGISTRY_BACKOFF_SECONDS (comma-separated)
    REGISTRY_ALLOW_CREATE   true: the portal may register members
    REGISTRY_CONTROL        true: edits by HTTP without a login
"""
import os
import tempfile
from urllib.parse import unquote, urlsplit

BASE_DIR = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SECRET_KEY = 'for tests only'
DEBUG = False
ALLOWED_HOSTS = ['127.0.0.1', 'localhost', 'testserver']
ROOT_URLCONF = 'registry.urls'
WSGI_APPLICATION = 'registry.wsgi.application'
USE_TZ = True
TIME_ZONE = 'Atlantic/Reykjavik'
STATIC_URL = '/static/'
DEFAULT_AUTO_FIELD = 'django.db.models.AutoField'
TEST_RUNNER = 'registry.runner.CountingRunner'

INSTALLED_APPS = [
    'django.contrib.admin',
    'django.contrib.auth',
    'django.contrib.contenttypes',
    'django.contrib.sessions',
    'django.contrib.messages',
    'rest_framework',
    'rest_framework.authtoken',
    'membership',
    'ekklesia_sync',
]
MIDDLEWARE = [
    'django.contrib.sessions.middleware.SessionMiddleware',
    'django.middleware.common.CommonMiddleware',
    'django.middleware.csrf.CsrfViewMiddleware',
    'django.contrib.auth.middleware.AuthenticationMiddleware',
    'django.contrib.messages.middleware.MessageMiddleware',
]
TEMPLATES = [{
    'BACKEND': 'django.template.backends.django.DjangoTemplates',
    'APP_DIRS': True,
    'OPTIONS': {'context_processors': [
        'django.template.context_processors.request',
        'django.contrib.auth.context_processors.auth',
        'django.contrib.messages.context_processors.messages',
    ]},
}]


def _database():
    url = os.environ.get('REGISTRY_DATABASE_URL')
    if not url:
        path = os.environ.get('REGISTRY_SQLITE_PATH', os.path.join(tempfile.gettempdir(), 'registry.sqlite3'))
        # A file for the tests as well: an in-memory database is not shared between threads.
        return {'ENGINE': 'django.db.backends.sqlite3', 'NAME': path,
                'OPTIONS': {'timeout': 20}, 'TEST': {'NAME': path + '.test'}}
    parts = urlsplit(url)
    return {
        'ENGINE': 'django.db.backends.postgresql', 'NAME': parts.path.lstrip('/'),
        'USER': unquote(parts.username or ''), 'PASSWORD': unquote(parts.password or ''),
        'HOST': parts.hostname or '', 'PORT': str(parts.port or ''),
    }


DATABASES = {'default': _database()}

EKKLESIA_SYNC = {
    'WEBHOOK_URL': os.environ.get('REGISTRY_WEBHOOK_URL', ''),
    'WEBHOOK_SECRETS': [each for each in os.environ.get('REGISTRY_WEBHOOK_SECRETS', '').split(',') if each],
    'WEBHOOK_SECRETS_FILE': os.environ.get('REGISTRY_WEBHOOK_SECRETS_FILE', ''),
    'DELIVERY': os.environ.get('REGISTRY_DELIVERY', 'thread'),
    'READ_TIMEOUT_SECONDS': float(os.environ.get('REGISTRY_READ_TIMEOUT_SECONDS', '10')),
    'CLAIM_SECONDS': float(os.environ.get('REGISTRY_CLAIM_SECONDS', '60')),
    'BACKOFF_SECONDS': [float(each) for each in os.environ.get(
        'REGISTRY_BACKOFF_SECONDS', '5,300,1800,7200,18000,36000,50400,72000,86400').split(',')],
    'ALLOW_CREATE': os.environ.get('REGISTRY_ALLOW_CREATE') == 'true',
}

# Edits by HTTP without a login, for the end-to-end suite: see membership/control.py.
REGISTRY_CONTROL = os.environ.get('REGISTRY_CONTROL') == 'true'

LOGGING = {
    'version': 1,
    'disable_existing_loggers': False,
    'handlers': {'console': {'class': 'logging.StreamHandler'}},
    'loggers': {'ekklesia_sync': {'handlers': ['console'], 'level': os.environ.get('REGISTRY_LOG_LEVEL', 'WARNING')}},
}
