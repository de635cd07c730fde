"""A registry as the party's old one is: webhooks without versions, a queue of its own. For tests alone.

Variables beside those of ../tests/registry/settings.py:

    REGISTRY_SYNC_API_KEY   what the webhook says after `Bearer`; without it none is sent
    REGISTRY_COMPANION      true: the companion app instead, on the same tables
"""
import os

from registry import settings as modern

COMPANION = os.environ.get('REGISTRY_COMPANION') == 'true'

SECRET_KEY, DEBUG, ALLOWED_HOSTS = modern.SECRET_KEY, modern.DEBUG, modern.ALLOWED_HOSTS
ROOT_URLCONF = 'old_registry.urls'
WSGI_APPLICATION = 'old_registry.wsgi.application'
# Times without an offset, in the database and on the wire.
USE_TZ = False
TIME_ZONE = 'Atlantic/Reykjavik'
STATIC_URL = '/static/'
DEFAULT_AUTO_FIELD = modern.DEFAULT_AUTO_FIELD
TEST_RUNNER = modern.TEST_RUNNER
MIDDLEWARE, TEMPLATES, DATABASES, LOGGING = modern.MIDDLEWARE, modern.TEMPLATES, modern.DATABASES, modern.LOGGING
MEMBERS = 'members.apps.MembersConfig'
# An app's commands hide those of a later one: with the companion app, `create_sync_token` is its own.
INSTALLED_APPS = [app for app in modern.INSTALLED_APPS if app not in ('membership', 'ekklesia_sync')]
INSTALLED_APPS += ['ekklesia_sync', MEMBERS] if COMPANION else [MEMBERS]

REGISTRY_CONTROL = modern.REGISTRY_CONTROL
WEBHOOK_URL = '' if COMPANION else os.environ.get('REGISTRY_WEBHOOK_URL', '')
SYNC_API_KEY = os.environ.get('REGISTRY_SYNC_API_KEY', '')
WEBHOOK_TIMEOUT_SECONDS = 10

# What an operator of the real one writes: ../README.md, "Other tables".
EKKLESIA_SYNC = dict(modern.EKKLESIA_SYNC, **{
    'MEMBER_MODEL': 'members.Comrade',
    'LOCAL_ADDRESS': {
        'relation': 'newlocaladdress',
        'filter': {'current': True, 'country': 109},
        'fields': {'city': 'address__street__postal_code__municipalitypostalcode__municipality__name'},
    },
    'FOREIGN_ADDRESSES': {'relation': 'newforeignaddress'},
    'UNIONS': {'relation': 'union_memberships', 'fields': {'name': 'union__name'}},
    'TITLES': {'relation': 'comradetitles', 'fields': {'name': 'title__name'}},
})
